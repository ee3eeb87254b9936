import type { BoundingBox } from '../../shared/model/label.ts';
import { fromPixels, type Pixels, type Size } from './pixels.ts';

/** A rectangle in whole pixels. */
export interface Region extends Size {
  readonly left: number;
  readonly top: number;
}

/** Of the box's width and height, on each side: detectors' boxes leave out hair, ears and chin. */
const margin = 0.3;
/** Blocks across a region: with the margin the face itself gets two or three, too few to tell one person from another. */
const blocks = 4;

/** The pixels to cover for a face: its box with margin, inside the picture; null when it lies outside. */
export function regionOf(box: BoundingBox, { width, height }: Size): Region | null {
  const left = Math.max(0, Math.floor((box.left - box.width * margin) * width));
  const top = Math.max(0, Math.floor((box.top - box.height * margin) * height));
  const right = Math.min(width, Math.ceil((box.left + box.width * (1 + margin)) * width));
  const bottom = Math.min(height, Math.ceil((box.top + box.height * (1 + margin)) * height));
  return right > left && bottom > top ? { left, top, width: right - left, height: bottom - top } : null;
}

/**
 * Replaces every face, in place, by flat blocks. Larger ones first, each computed from what the picture is by then: where a small region
 * lies in a large one its finer blocks can show nothing that the large one has not already destroyed.
 */
export async function pixelateFaces(pixels: Pixels, boxes: readonly BoundingBox[]): Promise<void> {
  const regions = boxes.map((box) => regionOf(box, pixels)).filter((region) => region !== null);
  for (const region of regions.toSorted((a, b) => b.width * b.height - a.width * a.height)) await flatten(pixels, region);
}

async function flatten(pixels: Pixels, region: Region): Promise<void> {
  const columns = Math.min(blocks, region.width);
  const rows = Math.min(blocks, region.height);
  const means = await fromPixels(pixels).extract(region).resize(columns, rows, { fit: 'fill', kernel: 'linear' }).raw().toBuffer();
  const line = Buffer.alloc(region.width * 3);
  for (let row = 0; row < rows; row++) {
    for (let x = 0; x < region.width; x++) {
      const mean = (row * columns + Math.floor((x * columns) / region.width)) * 3;
      means.copy(line, x * 3, mean, mean + 3);
    }
    const first = Math.ceil((row * region.height) / rows);
    const end = Math.ceil(((row + 1) * region.height) / rows);
    for (let y = first; y < end; y++) line.copy(pixels.data, ((region.top + y) * pixels.width + region.left) * 3);
  }
}
