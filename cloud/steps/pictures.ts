import sharp, { type Sharp } from 'sharp';
import { messageOf, Permanent, Transient } from '../../shared/errors.ts';
import { type GridSize, gridSizes, type Rendition } from '../../shared/model/asset.ts';
import { fitInside, fromPixels, type Pixels, type Size } from './pixels.ts';

/** Pictures in memory: Buffers in, Buffers out; nothing here knows of storage. */

// Only these decoders: others, as for SVG or PDF, can read files or run scripts.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Tiff', 'Nsgif', 'Heif'].map((decoder) => `VipsForeignLoad${decoder}`),
});
// Every picture is seen once; a cache would only hold memory.
sharp.cache(false);

/** A decoded photo. */
export interface Photo {
  /** Of the original, upright, in pixels. */
  readonly size: Size;
  /** The first frame of several was used. */
  readonly animated: boolean;
  /** The upright picture at `analysisSize`. */
  readonly pixels: Pixels;
}

/** A file of 1 MB can hold 16,000 × 16,000 pixels, which take 1.5 GB to decode. */
const maxPixels = 100_000_000;
export const previewSide = 1600;
const thumbSide = 320;
// What Rekognition takes from S3: 80–10,000 pixels a side and 15 MB. Noise of 4096² pixels at this quality has 13.8 MB.
const analysisSides = { min: 80, max: 4096 };
const jpeg = { quality: 90 };

/**
 * Decodes a photo, upright, in sRGB, transparency on white.
 * @throws Permanent when it is damaged, too large or of no type that is decoded here; Transient when there is too little memory
 */
export async function decodePhoto(original: Buffer): Promise<Photo> {
  const meta = await orDamaged(sharp(original, { limitInputPixels: false }).metadata());
  const size = meta.autoOrient;
  if (size.width * size.height > maxPixels) {
    throw new Permanent(
      `The picture is too large: it has ${size.width} × ${size.height} pixels, and at most 100 million can be processed.`,
    );
  }
  const { width, height } = analysisSize(size);
  // Junk between a JPEG's parts is harmless and common, so that only what is cut off counts as damage.
  const upright = sharp(original, { limitInputPixels: maxPixels, failOn: 'truncated' }).autoOrient();
  const data = await orDamaged(
    upright.flatten({ background: '#fff' }).resize(width, height, { fit: 'fill' }).toColourspace('srgb').raw().toBuffer(),
  );
  return { size, animated: (meta.pages ?? 1) > 1, pixels: { data, width, height } };
}

async function orDamaged<T>(decoding: Promise<T>): Promise<T> {
  try {
    return await decoding;
  } catch (thrown) {
    throw decodingError(thrown);
  }
}

/** In the words of libvips, its decoders and C++. */
const noMemory = /out of memory|insufficient memory|(cannot|could not|unable to|failed to) allocate|bad_alloc/i;

/** What to throw for an error of sharp: lack of memory says nothing of the picture, everything else does. */
export function decodingError(thrown: unknown): Error {
  const text = messageOf(thrown).split('\n')[0] ?? '';
  if (noMemory.test(text))
    return new Transient(`There was too little memory to open the picture (${text}). It is tried again.`, { cause: thrown });
  return new Permanent(`The picture is damaged or incomplete and cannot be shown (${text}).`, { cause: thrown });
}

/**
 * The size of the copy that is analysed: inside Rekognition's limits. Only a picture far longer than wide is distorted for that, which
 * boxes, being ratios, do not notice.
 */
export function analysisSize({ width, height }: Size): Size {
  const { min, max } = analysisSides;
  const enlarge = Math.max(1, min / Math.min(width, height));
  const scale = Math.min(enlarge, max / Math.max(width, height));
  const within = (side: number) => Math.min(max, Math.max(min, Math.round(side * scale)));
  return { width: within(width), height: within(height) };
}

/** The renditions that every photo has, encoded and without metadata. */
export async function encodeRenditions({ size, pixels }: Photo): Promise<Record<Exclude<Rendition, 'pixelated'>, Buffer>> {
  const [shown, analysis] = await Promise.all([encodePreviews(pixels, size), fromPixels(pixels).jpeg(jpeg).toBuffer()]);
  return { ...shown, analysis };
}

/** The renditions to be looked at, of a picture of `size` or of a film's frame. */
export async function encodePreviews(pixels: Pixels, size: Size = pixels): Promise<Record<'thumb' | 'preview', Buffer>> {
  const shrunk = (side: number) => resized(pixels, fitInside(size, side));
  const [thumb, preview] = await Promise.all([
    shrunk(thumbSide).webp({ quality: 80 }).toBuffer(),
    shrunk(previewSide).webp({ quality: 82 }).toBuffer(),
  ]);
  return { thumb, preview };
}

/** The N×N pixelations of a picture as PNGs of N×N pixels: each pixel is the mean of its share of the picture. */
export async function encodeGrids(pixels: Pixels): Promise<{ grid: GridSize; png: Buffer }[]> {
  return Promise.all(
    gridSizes.map(async (grid) => ({
      grid,
      png: await resized(pixels, { width: grid, height: grid }).png().toBuffer(),
    })),
  );
}

/** Decodes one of our own JPEGs, such as the analysis copy. */
export async function decodeRendition(file: Buffer): Promise<Pixels> {
  const { data, info } = await sharp(file).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** A stream of the picture as a JPEG of `size`, without metadata. */
export function jpegStream(pixels: Pixels, size: Size): Sharp {
  return resized(pixels, size).jpeg(jpeg);
}

const resized = (pixels: Pixels, { width, height }: Size) => fromPixels(pixels).resize(width, height, { fit: 'fill' });
