import sharp from 'sharp';
import type { Box, Size } from './boxes.ts';

/** An upright picture, three bytes (sRGB) a pixel. */
export interface Pixels extends Size {
  readonly data: Buffer;
}

/** The bytes are no picture that can be decoded to its end. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

/** 10,000 × 10,000, the largest that Rekognition takes; a small file can claim much more. */
export const maxPixels = 100e6;

/**
 * Decodes a JPEG or PNG, upright by its EXIF orientation, and makes it fit into a square of `maxSide` pixels.
 * @throws Unreadable
 */
export async function decode(image: Uint8Array, maxSide: number): Promise<Pixels> {
  try {
    // As Rekognition does, take what decodes although something is odd, but not a picture whose lower part is missing.
    const { data, info } = await sharp(image, { limitInputPixels: maxPixels, failOn: 'truncated' })
      .autoOrient()
      .resize({ width: maxSide, height: maxSide, fit: 'inside', withoutEnlargement: true })
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height };
  } catch (error) {
    throw new Unreadable(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** A part of a picture scaled to a square of `side` pixels. With `keepShape` what the part does not fill, right or below, is black. */
export async function cut(picture: Pixels, part: Box, side: number, { keepShape }: { keepShape: boolean }): Promise<Buffer> {
  return await sharp(picture.data, { raw: { width: picture.width, height: picture.height, channels: 3 } })
    .extract({ left: part.left, top: part.top, width: part.width, height: part.height })
    .resize(side, side, { fit: keepShape ? 'contain' : 'fill', position: 'left top', background: 'black' })
    .raw()
    .toBuffer();
}
