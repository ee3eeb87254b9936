import sharp, { type Sharp } from 'sharp';

/** Decoded pictures in memory. */

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** 8-bit sRGB without alpha, row by row. */
export interface Pixels extends Size {
  readonly data: Buffer;
}

/** `size` shrunk to at most `side` pixels on the longer side; never enlarged. */
export function fitInside({ width, height }: Size, side: number): Size {
  const scale = Math.min(1, side / Math.max(width, height));
  const within = (length: number) => Math.max(1, Math.round(length * scale));
  return { width: within(width), height: within(height) };
}

/** The picture for further work; its data is read when that work runs. */
export function fromPixels({ data, width, height }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}
