import { describe, expect, test } from 'vitest';
import { inReadingOrder, outlineOf, partOf, type Strip, stripsOf } from '../../../../cloud/local/rekognition/vision/textBoxes.ts';

/** A map of 200 × 100 pixels on which these spots are likely text. */
const mapOf = (isText: (x: number, y: number) => number) => ({
  width: 200,
  height: 100,
  likely: Float32Array.from({ length: 200 * 100 }, (_, i) => isText(i % 200, Math.floor(i / 200))),
});
const within =
  (left: number, top: number, right: number, bottom: number, value = 1) =>
  (x: number, y: number) =>
    x >= left && x < right && y >= top && y < bottom ? value : 0;

describe('stripsOf', () => {
  test('a bar is one strip, grown by what the model leaves out', () => {
    const [strip, ...others] = stripsOf(mapOf(within(40, 30, 120, 40)));
    expect(others).toEqual([]);
    expect(strip?.middle).toEqual({ x: expect.closeTo(80), y: expect.closeTo(35) });
    expect(strip?.direction).toEqual({ x: expect.closeTo(1), y: expect.closeTo(0) });
    // 1.5 × area / circumference, with half the sides: 1.5 · 40 · 5 / 45.
    expect(strip?.halfLength).toBeCloseTo(40 + 6.67, 1);
    expect(strip?.halfHeight).toBeCloseTo(5 + 6.67, 1);
  });

  test('a bar that leans is read from the left, an upright one downwards', () => {
    const [leaning] = stripsOf(mapOf((x, y) => (Math.abs(y - 80 + x / 3) < 4 && x > 20 && x < 180 ? 1 : 0)));
    expect((Math.atan2(leaning?.direction.y ?? 0, leaning?.direction.x ?? 0) * 180) / Math.PI).toBeCloseTo(-18.4, 0);
    const [upright] = stripsOf(mapOf(within(90, 10, 98, 90)));
    expect(upright?.direction).toEqual({ x: expect.closeTo(0), y: expect.closeTo(1) });
  });

  test('what is unsure, or too low to be read, is none; a square has no lean', () => {
    expect(stripsOf(mapOf(within(40, 30, 120, 40, 0.5)))).toEqual([]);
    expect(stripsOf(mapOf(within(40, 30, 120, 31)))).toEqual([]);
    expect(stripsOf(mapOf(within(40, 30, 60, 52)))[0]?.direction).toEqual({ x: 1, y: 0 });
  });

  test('bars that do not touch are strips of their own', () => {
    expect(stripsOf(mapOf((x, y) => within(10, 10, 90, 20)(x, y) || within(110, 10, 190, 20)(x, y)))).toHaveLength(2);
  });
});

const strip = (x: number, y: number, more: Partial<Strip> = {}): Strip => ({
  middle: { x, y },
  direction: { x: 1, y: 0 },
  halfLength: 40,
  halfHeight: 10,
  ...more,
});

test('rows are read one after another, each from left to right, even where the right one lies a little higher', () => {
  const order = inReadingOrder([strip(150, 48), strip(50, 52), strip(50, 90), strip(50, 10)]);
  expect(order.map(({ middle }) => [middle.x, middle.y])).toEqual([
    [50, 10],
    [50, 52],
    [150, 48],
    [50, 90],
  ]);
});

test('an outline is told in ratios and ends at the border of the picture', () => {
  const { box, corners } = outlineOf(strip(20, 50), { width: 200, height: 100 });
  expect(box).toEqual({ left: 0, top: 0.4, width: expect.closeTo(0.3), height: expect.closeTo(0.2) });
  expect(corners).toEqual([
    { x: 0, y: 0.4 },
    { x: 0.3, y: 0.4 },
    { x: 0.3, y: 0.6 },
    { x: 0, y: 0.6 },
  ]);
});

test('a part of a strip lies along its direction', () => {
  const down = strip(50, 50, { direction: { x: 0, y: 1 } });
  expect(partOf(down, 0.5, 1)).toMatchObject({ middle: { x: 50, y: 70 }, halfLength: 20 });
});
