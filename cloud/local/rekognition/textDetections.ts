import { boxAnswer } from './boxAnswer.ts';
import type { SeenLine, SeenText } from './vision/text.ts';

/** Rekognition reads 100 words of a picture: https://docs.aws.amazon.com/rekognition/latest/dg/limits.html */
const maxWords = 100;

/**
 * Rekognition's TextDetections: first the lines, then their words. A line holds those of its words that are sure enough.
 * @param minConfidence of a word, 0–100
 */
export function textDetections(seen: readonly SeenLine[], minConfidence: number) {
  let left = maxWords;
  const lines = seen.flatMap((line) => {
    const words = line.words.filter(({ score }) => score * 100 >= minConfidence).slice(0, left);
    left -= words.length;
    return words.length === 0 ? [] : [{ line, words }];
  });
  const answer = ({ score, box, corners }: SeenText) => ({
    Confidence: score * 100,
    Geometry: { BoundingBox: boxAnswer(box), Polygon: corners.map(({ x, y }) => ({ X: x, Y: y })) },
  });
  const lineAnswers = lines.map(({ line, words }, Id) => ({
    DetectedText: words.map(({ text }) => text).join(' '),
    Type: 'LINE',
    Id,
    ...answer({ ...line, score: words.reduce((sum, { score }) => sum + score, 0) / words.length }),
  }));
  const words = lines.flatMap((line, ParentId) => line.words.map((word) => ({ word, ParentId })));
  const wordAnswers = words.map(({ word, ParentId }, i) => ({
    DetectedText: word.text,
    Type: 'WORD',
    Id: lines.length + i,
    ParentId,
    ...answer(word),
  }));
  return [...lineAnswers, ...wordAnswers];
}
