import sharp from 'sharp';
import type { ModelPaths } from '../models/ensureModels.ts';
import type { Box } from './boxes.ts';
import type { Point } from './faceModel.ts';
import type { Pixels } from './pixels.ts';
import { inReadingOrder, outlineOf, partOf, type Strip, scaled, stripsOf } from './textBoxes.ts';
import { type Letter, loadTextModel } from './textModel.ts';

/** A piece of text and where it is; all in ratios of the picture. */
export interface SeenText {
  readonly text: string;
  /** 0–1. */
  readonly score: number;
  readonly box: Box;
  /** In the order of reading, from the left upper one. */
  readonly corners: readonly Point[];
}

export interface SeenLine extends SeenText {
  readonly words: readonly SeenText[];
}

/** The longer side of the picture in which lines are looked for: at 1280, looking takes 1.7 times as long. */
const finderSide = 960;
/** A wall of text takes long; Rekognition answers 100 words and no more. */
const maxLines = 100;

/** Loads the models. The function they give reads the text of a picture, from top to bottom. */
export async function loadText(paths: ModelPaths['text']): Promise<(picture: Pixels) => Promise<SeenLine[]>> {
  const model = await loadTextModel(paths);
  return async (picture) => {
    const small = await shrunk(picture, finderSide);
    const largest = stripsOf(await model.find(small))
      .toSorted((a, b) => b.halfHeight * b.halfLength - a.halfHeight * a.halfLength)
      .slice(0, maxLines)
      .map((strip) => scaled(strip, picture.width / small.width));
    const lines: SeenLine[] = [];
    for (const strip of inReadingOrder(largest)) {
      const words = wordsOf(await model.read(picture, strip), strip, picture);
      if (words.length > 0) lines.push(lineOf(words, strip, picture));
    }
    return lines;
  };
}

async function shrunk({ data, width, height }: Pixels, side: number): Promise<Pixels> {
  const { data: small, info } = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data: small, width: info.width, height: info.height };
}

/** Letters between spaces are a word. */
function wordsOf(letters: readonly Letter[], strip: Strip, picture: Pixels): SeenText[] {
  const words: Letter[][] = [[]];
  for (const letter of letters) {
    if (letter.letter === ' ') words.push([]);
    else words.at(-1)?.push(letter);
  }
  return words.flatMap((word) => {
    const [first, last] = [word[0], word.at(-1)];
    if (!first || !last) return [];
    const score = word.reduce((sum, letter) => sum + letter.score, 0) / word.length;
    const text = word.map(({ letter }) => letter).join('');
    return [{ text, score, ...outlineOf(partOf(strip, first.start, last.end), picture) }];
  });
}

function lineOf(words: readonly SeenText[], strip: Strip, picture: Pixels): SeenLine {
  const score = words.reduce((sum, word) => sum + word.score, 0) / words.length;
  return { text: words.map(({ text }) => text).join(' '), score, ...outlineOf(strip, picture), words };
}
