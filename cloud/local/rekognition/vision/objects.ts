import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { asRatios, type Box, overlap, withoutRepeats } from './boxes.ts';
import { cut, type Pixels } from './pixels.ts';
import { imageTensor, modelFile } from './tensors.ts';

/** One of COCO's things. */
export interface SeenObject {
  /** COCO's category id, 1–90. */
  readonly category: number;
  /** 0–1. */
  readonly score: number;
  /** In ratios of the picture. */
  readonly box: Box;
}

/** The model scales every picture to this itself, see "Preprocessor" in its graph. */
const side = 300;
const categories = 90;
/**
 * Below, half of what it sees is not there. Tiles, which would find smaller things, were tried on 22 photos: of the six more things they
 * brought one was right, the others were a giraffe in a hedge and the like.
 */
const minScore = 0.5;

/** Loads the detector of things. The function it gives finds COCO's things in a picture. */
export async function loadObjects(path: string): Promise<(picture: Pixels) => Promise<SeenObject[]>> {
  const model = await loadGraphModel(modelFile(path));
  return async (picture) => {
    const input = imageTensor(await cut(picture, { left: 0, top: 0, ...picture }, side, { keepShape: false }), side);
    const output = (await model.executeAsync(input)) as [scores: tf.Tensor, corners: tf.Tensor];
    const [scores, corners] = await Promise.all([output[0].data(), output[1].data()]);
    tf.dispose([input, ...output]);
    return readObjects(scores, corners);
  };
}

/** @param corners of each box: top, left, bottom, right in ratios; @param scores of each box for every category */
function readObjects(scores: tf.TypedArray, corners: tf.TypedArray): SeenObject[] {
  const found: SeenObject[] = [];
  for (let i = 0; i < corners.length / 4; i++) {
    const own = scores.subarray(i * categories, (i + 1) * categories);
    const score = Math.max(...own);
    if (score < minScore) continue;
    const [top = 0, left = 0, bottom = 0, right = 0] = corners.subarray(i * 4, i * 4 + 4);
    const box = asRatios({ left, top, width: right - left, height: bottom - top }, { width: 1, height: 1 });
    found.push({ category: own.indexOf(score) + 1, score, box });
  }
  return withoutRepeats(found, (one, better) => overlap(one, better) > 0.5);
}
