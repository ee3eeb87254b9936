import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import type { Box } from './boxes.ts';
import { imageTensor, modelFile } from './tensors.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Left and right as the viewer sees them. */
export interface Landmarks {
  readonly eyeLeft: Point;
  readonly eyeRight: Point;
  readonly nose: Point;
}

/** What may be a face: a box from the brows to the chin; all in pixels. */
export interface Candidate extends Landmarks {
  readonly box: Box;
  /** 0–1. */
  readonly score: number;
}

/** What BlazeFace sees in a square of `faceModelSide` pixels: one candidate for each of its 896 anchors, most of them of no score. */
export type FaceModel = (rgb: Buffer) => Promise<Candidate[]>;

export const faceModelSide = 256;

/** What the model's boxes are told from: so many times the middle of each field of a grid, row by row. */
const anchorsOf = (fields: number, each: number): Point[] =>
  Array.from({ length: fields * fields * each }, (_, i) => {
    const field = Math.floor(i / each);
    return { x: ((0.5 + (field % fields)) * faceModelSide) / fields, y: ((0.5 + Math.floor(field / fields)) * faceModelSide) / fields };
  });
const fineAnchors = anchorsOf(16, 2);
const coarseAnchors = anchorsOf(8, 6);

/** Scores of the fine grid, of the coarse one; boxes of the fine grid, of the coarse one. */
const outputs = ['Identity', 'Identity_1', 'Identity_2', 'Identity_3'];
/** Numbers a box is told by: middle, size, then six points, all relative to the anchor. */
const numbers = 16;

/** Loads BlazeFace. */
export async function loadFaceModel(path: string): Promise<FaceModel> {
  const model = await loadGraphModel(modelFile(path));
  return async (rgb) => {
    const tensors = tf.tidy(() => {
      const input = tf.sub(tf.div(tf.cast(imageTensor(rgb, faceModelSide), 'float32'), 127.5), 1);
      return model.execute(input, outputs) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    });
    const read = async (anchors: readonly Point[], logits: tf.Tensor, boxes: tf.Tensor) => {
      const [scores, told] = await Promise.all([logits.data<'float32'>(), boxes.data<'float32'>()]);
      return anchors.map((anchor, i) => readFace(anchor, scores[i] ?? 0, told.subarray(i * numbers, (i + 1) * numbers)));
    };
    const [fineScores, coarseScores, fineBoxes, coarseBoxes] = tensors;
    const seen = await Promise.all([read(fineAnchors, fineScores, fineBoxes), read(coarseAnchors, coarseScores, coarseBoxes)]);
    tf.dispose(tensors);
    return seen.flat();
  };
}

function readFace({ x, y }: Point, logit: number, told: Float32Array): Candidate {
  const [dx = 0, dy = 0, width = 0, height = 0, ...points] = told;
  const box = { left: x + dx - width / 2, top: y + dy - height / 2, width, height };
  const point = (i: number) => ({ x: x + (points[2 * i] ?? 0), y: y + (points[2 * i + 1] ?? 0) });
  return { box, score: 1 / (1 + Math.exp(-logit)), eyeLeft: point(0), eyeRight: point(1), nose: point(2) };
}
