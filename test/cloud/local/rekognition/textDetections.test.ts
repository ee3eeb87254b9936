import { describe, expect, test } from 'vitest';
import { textDetections } from '../../../../cloud/local/rekognition/textDetections.ts';

const place = { box: { left: 0, top: 0, width: 0.5, height: 0.1 }, corners: [{ x: 0, y: 0 }] };
const line = (words: readonly (readonly [text: string, score: number])[]) => ({
  text: 'of all words',
  score: 0.1,
  ...place,
  words: words.map(([text, score]) => ({ text, score, ...place })),
});

describe('textDetections', () => {
  test('a line holds the words that are sure enough, and is as sure as they are', () => {
    const found = textDetections(
      [
        line([
          ['Sports', 0.96],
          ['Cemtre', 0.5],
          ['Hall', 0.98],
        ]),
        line([['x', 0.2]]),
      ],
      80,
    );
    expect(found.map(({ DetectedText, Type }) => [DetectedText, Type])).toEqual([
      ['Sports Hall', 'LINE'],
      ['Sports', 'WORD'],
      ['Hall', 'WORD'],
    ]);
    expect(found[0]?.Confidence).toBeCloseTo(97);
    expect(found.slice(1)).toMatchObject([
      { Id: 1, ParentId: 0 },
      { Id: 2, ParentId: 0 },
    ]);
  });

  test('no more than 100 words are told', () => {
    const word = ['w', 1] as const;
    const found = textDetections([line(Array(60).fill(word)), line(Array(60).fill(word)), line([word])], 80);
    expect(found.filter(({ Type }) => Type === 'WORD')).toHaveLength(100);
    expect(found.filter(({ Type }) => Type === 'LINE')).toHaveLength(2);
  });
});
