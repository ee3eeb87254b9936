import { readFile } from 'node:fs/promises';
import * as ort from 'onnxruntime-web/wasm';
import type { ModelPaths } from '../models/ensureModels.ts';
import type { Pixels } from './pixels.ts';
import { pointIn, type Strip, type TextMap } from './textBoxes.ts';

/** PP-OCRv4's two models: one finds lines, one reads them. */
export interface TextModel {
  /** How likely each pixel of a picture belongs to text. */
  find(picture: Pixels): Promise<TextMap>;
  /** Reads one line. `start` and `end` of a letter are shares of the strip's length. */
  read(picture: Pixels, strip: Strip): Promise<readonly Letter[]>;
}

export interface Letter {
  readonly letter: string;
  /** 0–1. */
  readonly score: number;
  readonly start: number;
  readonly end: number;
}

/** The finder halves a picture five times. */
const finderStep = 32;
// The finder was trained with ImageNet's mean and deviation, the reader with the values between −1 and 1.
const finderScale = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };
const readerScale = { mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] };
const readerHeight = 48;
/** What the reader makes one step of, in pixels. */
const readerStep = 8;
/** A line of some 200 letters; bounds what one reading may take. */
const maxReaderWidth = 2400;

/** Loads both models. One thread each: several workers use the cores better than one model run does. */
export async function loadTextModel(paths: ModelPaths['text']): Promise<TextModel> {
  ort.env.wasm.numThreads = 1;
  // The reader meets a new width with each line: memory planned for the widths before would only be held.
  const open = async (path: string) =>
    ort.InferenceSession.create(await readFile(path), { enableMemPattern: false, enableCpuMemArena: false });
  const [finder, reader] = [await open(paths.finder), await open(paths.reader)];
  // The reader's classes: first "nothing", last a space.
  const letters = ['', ...(await readFile(paths.letters, 'utf8')).trimEnd().split('\n'), ' '];
  const run = async (model: ort.InferenceSession, values: Float32Array, height: number, width: number) => {
    const [inputName = '', outputName = ''] = [model.inputNames[0], model.outputNames[0]];
    const output = await model.run({ [inputName]: new ort.Tensor('float32', values, [1, 3, height, width]) });
    return output[outputName]?.data as Float32Array;
  };
  return {
    async find(picture) {
      const width = roundUp(picture.width, finderStep);
      const height = roundUp(picture.height, finderStep);
      return { likely: await run(finder, planes(picture, width, height, finderScale), height, width), width, height };
    },
    async read(picture, strip) {
      const cut = cutStrip(picture, strip);
      const likely = await run(reader, planes(cut, cut.width, cut.height, readerScale), cut.height, cut.width);
      return lettersOf(likely, letters);
    },
  };
}

const roundUp = (value: number, step: number) => Math.ceil(value / step) * step;

/** A picture as the models take it: one plane a colour, filled up with the mean at the right and below. */
function planes({ data, ...picture }: Pixels, width: number, height: number, { mean, deviation }: typeof finderScale): Float32Array {
  const values = new Float32Array(3 * width * height);
  for (let colour = 0; colour < 3; colour++) {
    const [m = 0, d = 1] = [mean[colour], deviation[colour]];
    for (let y = 0; y < picture.height; y++) {
      for (let x = 0; x < picture.width; x++) {
        values[(colour * height + y) * width + x] = ((data[(y * picture.width + x) * 3 + colour] ?? 0) / 255 - m) / d;
      }
    }
  }
  return values;
}

/** A strip of a picture, turned upright and as high as the reader wants it. */
function cutStrip(picture: Pixels, strip: Strip): Pixels {
  const height = readerHeight;
  const length = (height * strip.halfLength) / strip.halfHeight;
  const width = Math.min(maxReaderWidth, roundUp(Math.max(1, length), readerStep));
  const data = Buffer.alloc(width * height * 3);
  // Several points a pixel where the strip is shrunk, else thin strokes are lost.
  const points = Math.min(4, Math.max(1, Math.round((strip.halfHeight * 2) / height)));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sum = [0, 0, 0];
      for (let i = 0; i < points * points; i++) {
        const along = (((x + ((i % points) + 0.5) / points) / width) * 2 - 1) * strip.halfLength;
        const across = (((y + (Math.floor(i / points) + 0.5) / points) / height) * 2 - 1) * strip.halfHeight;
        addColour(sum, picture, pointIn(strip, along, across));
      }
      for (let colour = 0; colour < 3; colour++) data[(y * width + x) * 3 + colour] = (sum[colour] ?? 0) / points ** 2;
    }
  }
  return { data, width, height };
}

/** Adds a picture's colour at a point, between its pixels; beyond its border that of the border. */
function addColour(sum: number[], { data, width, height }: Pixels, { x, y }: { x: number; y: number }): void {
  const px = Math.min(width - 1, Math.max(0, x - 0.5));
  const py = Math.min(height - 1, Math.max(0, y - 0.5));
  const [x0, y0] = [Math.floor(px), Math.floor(py)];
  const [x1, y1] = [Math.min(width - 1, x0 + 1), Math.min(height - 1, y0 + 1)];
  const [fx, fy] = [px - x0, py - y0];
  for (let colour = 0; colour < 3; colour++) {
    const at = (column: number, row: number) => data[(row * width + column) * 3 + colour] ?? 0;
    const upper = at(x0, y0) * (1 - fx) + at(x1, y0) * fx;
    const lower = at(x0, y1) * (1 - fx) + at(x1, y1) * fx;
    sum[colour] = (sum[colour] ?? 0) + upper * (1 - fy) + lower * fy;
  }
}

/** The likeliest letter of each step; the same one in steps that follow each other is one letter, and "nothing" stands between two. */
function lettersOf(likely: Float32Array, letters: readonly string[]): Letter[] {
  const steps = likely.length / letters.length;
  const found: Letter[] = [];
  let before = 0;
  for (let step = 0; step < steps; step++) {
    const own = likely.subarray(step * letters.length, (step + 1) * letters.length);
    let best = 0;
    for (let i = 1; i < own.length; i++) if ((own[i] as number) > (own[best] as number)) best = i;
    if (best !== 0 && best !== before) {
      found.push({ letter: letters[best] ?? '', score: own[best] ?? 0, start: step / steps, end: (step + 1) / steps });
    }
    before = best;
  }
  return found;
}
