import type { Sharp } from 'sharp';
import { expect, test } from 'vitest';
import { decode, Unreadable } from '../../../../cloud/local/rekognition/vision/pixels.ts';
import { drawnClock } from './photos.ts';

/** How far two pictures are apart, as the mean difference of a colour, 0–255. */
function distance(a: Buffer, b: Buffer): number {
  expect(a.length).toBe(b.length);
  let sum = 0;
  for (const [i, value] of a.entries()) sum += Math.abs(value - (b[i] ?? 0));
  return sum / a.length;
}
const pixelsOf = async (picture: Sharp) => decode(await picture.toBuffer(), 1024);
const plain = await pixelsOf(drawnClock().png());

// Lying on its side the clock is 3.3 from where it should be, as a negative 187. Paler and without colours it is some 5.
test.each([
  ['a JPEG', () => drawnClock().jpeg(), 1],
  ['a PNG with transparency', () => drawnClock().ensureAlpha(0.9).png(), 6],
  ['a PNG with 16 bits', () => drawnClock().toColourspace('rgb16').png(), 1],
  ['a PNG with a palette', () => drawnClock().png({ palette: true }), 1],
  ['a grey picture', () => drawnClock().greyscale().jpeg(), 8],
  ['a CMYK picture', () => drawnClock().toColourspace('cmyk').jpeg(), 8],
  ['a picture that lies on its side, by its EXIF data', () => drawnClock().rotate(90).withMetadata({ orientation: 8 }).jpeg(), 1],
])('%s is seen as the models were taught: upright, three bytes a pixel', async (_, draw, most) => {
  const seen = await pixelsOf(draw());
  expect(seen).toMatchObject({ width: 640, height: 640 });
  expect(distance(seen.data, plain.data)).toBeLessThan(most);
});

test('what is larger than wanted is made smaller, in its shape; what is smaller is not made larger', async () => {
  const wide = await drawnClock().resize(1600, 400, { fit: 'fill' }).png().toBuffer();
  expect(await decode(wide, 1024)).toMatchObject({ width: 1024, height: 256 });
  expect(await decode(wide, 4096)).toMatchObject({ width: 1600, height: 400 });
});

test('a picture whose lower part is missing cannot be read', async () => {
  const whole = await drawnClock().jpeg().toBuffer();
  await expect(decode(whole.subarray(0, whole.length / 2), 1024)).rejects.toThrow(Unreadable);
});
