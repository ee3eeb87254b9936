import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { pixelateFaces, type Region, regionOf } from '../../../cloud/steps/pixelatePicture.ts';
import type { Pixels } from '../../../cloud/steps/pixels.ts';

const noise = (width: number, height: number): Pixels => ({ data: randomBytes(width * height * 3), width, height });
const pixelAt = ({ data, width }: Pixels, x: number, y: number) => data.readUIntBE((y * width + x) * 3, 3);

/** The different colours inside a region. */
function coloursIn(pixels: Pixels, { left, top, width, height }: Region): Set<number> {
  const colours = new Set<number>();
  for (let y = top; y < top + height; y++) for (let x = left; x < left + width; x++) colours.add(pixelAt(pixels, x, y));
  return colours;
}

describe('regionOf', () => {
  it('adds 30 % of the box on each side', () => {
    expect(regionOf({ left: 0.4, top: 0.4, width: 0.1, height: 0.2 }, { width: 1000, height: 500 })).toEqual({
      left: 370,
      top: 170,
      width: 160,
      height: 160,
    });
  });

  it('stays inside the picture, rounded outwards', () => {
    expect(regionOf({ left: -0.1, top: 0.9, width: 0.3, height: 0.3 }, { width: 100, height: 100 })).toEqual({
      left: 0,
      top: 81,
      width: 30,
      height: 19,
    });
    expect(regionOf({ left: 2, top: 2, width: 0.1, height: 0.1 }, { width: 100, height: 100 })).toBeNull();
  });
});

describe('pixelateFaces', () => {
  it('leaves at most 4 × 4 flat blocks of a face and its margin, and every other pixel as it was', async () => {
    const pixels = noise(303, 211);
    const before = Buffer.from(pixels.data);
    const box = { left: 0.41, top: 0.33, width: 0.17, height: 0.29 };
    await pixelateFaces(pixels, [box]);

    const region = regionOf(box, pixels) as Region;
    expect(coloursIn(pixels, region).size).toBeLessThanOrEqual(16);
    for (let y = 0; y < pixels.height; y++) {
      for (let x = 0; x < pixels.width; x++) {
        const inside = x >= region.left && x < region.left + region.width && y >= region.top && y < region.top + region.height;
        if (!inside) expect(pixelAt(pixels, x, y)).toBe(before.readUIntBE((y * pixels.width + x) * 3, 3));
      }
    }
  });

  it('makes each block one rectangle, of a mean colour of what was there', async () => {
    const white = { data: Buffer.alloc(100 * 100 * 3, 200), width: 100, height: 100 };
    white.data.fill(40, 0, 100 * 50 * 3);
    await pixelateFaces(white, [{ left: 0, top: 0, width: 1, height: 1 }]);
    for (let row = 0; row < 4; row++) {
      for (let column = 0; column < 4; column++) {
        const block = coloursIn(white, { left: column * 25, top: row * 25, width: 25, height: 25 });
        expect(block.size).toBe(1);
        if (row === 0) expect(block).toEqual(new Set([0x282828]));
        if (row === 3) expect(block).toEqual(new Set([0xc8c8c8]));
      }
    }
  });

  it('computes a small face that overlaps a large one from the blocks of the large one, in whatever order they come', async () => {
    const large = { left: 0.2, top: 0.2, width: 0.5, height: 0.5 };
    const small = { left: 0.4, top: 0.4, width: 0.1, height: 0.1 };
    const original = noise(400, 400);
    const copy = () => ({ ...original, data: Buffer.from(original.data) });
    const [expected, largeFirst, smallFirst] = [copy(), copy(), copy()];
    await pixelateFaces(expected, [large]);
    await pixelateFaces(expected, [small]);
    await pixelateFaces(largeFirst, [large, small]);
    await pixelateFaces(smallFirst, [small, large]);
    expect(largeFirst.data.equals(expected.data)).toBe(true);
    expect(smallFirst.data.equals(expected.data)).toBe(true);
  });

  it('reaches the edges of the picture', async () => {
    const pixels = noise(97, 61);
    await pixelateFaces(pixels, [{ left: 0.8, top: 0.8, width: 0.3, height: 0.3 }]);
    expect(coloursIn(pixels, { left: 80, top: 50, width: 17, height: 11 }).size).toBeLessThanOrEqual(16);
  });
});
