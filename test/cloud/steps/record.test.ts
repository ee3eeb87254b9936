import { describe, expect, it } from 'vitest';
import { fitIn } from '../../../cloud/steps/record.ts';
import type { Label, TextLine } from '../../../shared/model/label.ts';

const box = { left: 0.1234, top: 0.1234, width: 0.1234, height: 0.1234 };
const label = (name: string, confidence: number, instances: number): Label => ({
  name,
  confidence,
  parents: ['Animal'],
  categories: ['Animals and Pets'],
  instances: Array.from({ length: instances }, (_, i) => ({ box, confidence: 50 + (i % 50) })),
});
const found = (labels: Label[], text: TextLine[] | null = null) => ({
  outcome: { kind: 'analysed', category: 'failure' } as const,
  media: null,
  labels,
  faces: null,
  text,
  moderation: null,
  renditions: [],
  matches: [],
});
const sizeOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

describe('fitIn', () => {
  it('leaves what fits as it is', () => {
    const small = found([label('Dog', 90, 3)]);
    expect(fitIn(30_000, small)).toEqual({
      ...small,
      labels: [{ ...small.labels[0], instances: small.labels[0]?.instances.toReversed() }],
    });
  });

  it('leaves out the least certain instances first, and no label', () => {
    const fitted = fitIn(30_000, found([label('Crowd', 90, 500), label('Person', 99, 500)]));
    expect(sizeOf(fitted)).toBeLessThan(30_000);
    expect(fitted.labels?.map(({ name }) => name)).toEqual(['Person', 'Crowd']);
    expect(fitted.labels?.[0]?.instances).toHaveLength(20);
    expect(fitted.labels?.[0]?.instances.every(({ confidence }) => confidence === 99 || confidence === 98)).toBe(true);
  });

  it('keeps the first times of a label in a video, when they are too many', () => {
    const times = Array.from({ length: 20 }, (_, i) => i * 60_000);
    const seen = found(Array.from({ length: 40 }, (_, i) => ({ ...label(`Label ${i}`, i, 0), times })));
    expect(fitIn(30_000, seen).labels?.map((label) => label.times)).toEqual(Array(40).fill(times));
    const fitted = fitIn(sizeOf(seen) - 100, seen);
    expect(fitted.labels?.map((label) => label.times)).toEqual(Array(40).fill(times.slice(0, 5)));
  });

  it('then leaves out the least certain labels', () => {
    const fitted = fitIn(10_000, found(Array.from({ length: 100 }, (_, i) => label(`Label ${i} ${'x'.repeat(60)}`, i, 9))));
    expect(sizeOf(fitted)).toBeLessThan(10_000);
    expect(fitted.labels?.map(({ confidence }) => confidence)).toEqual(Array.from({ length: 50 }, (_, i) => 99 - i));
  });

  it('leaves out the least certain lines of text before any label, and keeps the others in their order', () => {
    const text = Array.from({ length: 100 }, (_, i) => ({ text: `${i} ${'x'.repeat(90)}`, confidence: i % 2 === 0 ? 99 : 81, box }));
    const fitted = fitIn(12_000, found([label('Sign', 90, 9)], text));
    expect(sizeOf(fitted)).toBeLessThan(12_000);
    expect(fitted.labels).toHaveLength(1);
    expect(fitted.text?.map((line) => Number.parseInt(line.text, 10))).toEqual(Array.from({ length: 50 }, (_, i) => 2 * i));
  });
});
