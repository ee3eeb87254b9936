import { asRatios, type Box, type Size } from './boxes.ts';
import type { Point } from './faceModel.ts';

/** A rectangle that may lean: its middle, the direction in which one reads (length 1), and half its length and height along and across that. */
export interface Strip {
  readonly middle: Point;
  readonly direction: Point;
  readonly halfLength: number;
  readonly halfHeight: number;
}

/** How likely each pixel belongs to text, 0–1, row by row. */
export interface TextMap extends Size {
  readonly likely: Float32Array;
}

// As the models' authors set them (PP-OCRv4: thresh, box_thresh, unclip_ratio).
const minPixel = 0.3;
const minMean = 0.6;
/** The model marks the middle of a line only; this is how much is added around it. */
const growth = 1.5;
/** In pixels of the map: what is lower cannot be read. */
const minHeight = 3;
/** What is hardly longer than high, as one letter, has no direction of its own. */
const minLean = 1.5;

/** The lines of text in a map, each as a strip in the map's pixels. */
export function stripsOf(map: TextMap): Strip[] {
  return blobsOf(map).flatMap((blob) => {
    const strip = stripAround(blob, map.width);
    return strip.halfHeight * 2 >= minHeight ? [grown(strip)] : [];
  });
}

/** Connected pixels that are likely text, as indices into the map; those of little certainty are left out. */
function blobsOf({ likely, width, height }: TextMap): Int32Array[] {
  const seen = new Uint8Array(likely.length);
  const queue = new Int32Array(likely.length);
  const blobs: Int32Array[] = [];
  const reach = (index: number, end: number) => {
    if (seen[index] || (likely[index] ?? 0) <= minPixel) return end;
    seen[index] = 1;
    queue[end] = index;
    return end + 1;
  };
  for (let start = 0; start < likely.length; start++) {
    let end = reach(start, 0);
    let total = 0;
    for (let next = 0; next < end; next++) {
      const index = queue[next] as number;
      total += likely[index] as number;
      const x = index % width;
      for (let row = Math.max(0, index - x - width); row <= Math.min(index - x + width, (height - 1) * width); row += width) {
        for (let column = Math.max(0, x - 1); column <= Math.min(x + 1, width - 1); column++) end = reach(row + column, end);
      }
    }
    if (end > 0 && total / end >= minMean) blobs.push(queue.slice(0, end));
  }
  return blobs;
}

/** The smallest strip along a blob's main axis that holds it. */
function stripAround(blob: Int32Array, width: number): Strip {
  const at = (index: number): Point => ({ x: (index % width) + 0.5, y: Math.floor(index / width) + 0.5 });
  const mean = { x: 0, y: 0 };
  for (const index of blob) {
    mean.x += at(index).x / blob.length;
    mean.y += at(index).y / blob.length;
  }
  let [xx, xy, yy] = [0, 0, 0];
  for (const index of blob) {
    const { x, y } = at(index);
    xx += (x - mean.x) ** 2;
    xy += (x - mean.x) * (y - mean.y);
    yy += (y - mean.y) ** 2;
  }
  const spread = Math.hypot((xx - yy) / 2, xy);
  const [long, short] = [(xx + yy) / 2 + spread, (xx + yy) / 2 - spread];
  const leans = long > short * minLean ** 2;
  const angle = leans ? Math.atan2(2 * xy, xx - yy) / 2 : 0;
  // Between −45° and 135°: lines are read from left to right, upright ones downwards.
  const turn = angle < -Math.PI / 4 ? angle + Math.PI : angle;
  const direction = { x: Math.cos(turn), y: Math.sin(turn) };
  let [left, right, top, bottom] = [0, 0, 0, 0];
  for (const index of blob) {
    const { x, y } = at(index);
    const along = (x - mean.x) * direction.x + (y - mean.y) * direction.y;
    const across = (y - mean.y) * direction.x - (x - mean.x) * direction.y;
    [left, right] = [Math.min(left, along), Math.max(right, along)];
    [top, bottom] = [Math.min(top, across), Math.max(bottom, across)];
  }
  const strip = { middle: mean, direction, halfLength: (right - left + 1) / 2, halfHeight: (bottom - top + 1) / 2 };
  return { ...strip, middle: pointIn(strip, (left + right) / 2, (top + bottom) / 2) };
}

function grown(strip: Strip): Strip {
  const { halfLength: a, halfHeight: b } = strip;
  const by = (growth * a * b) / (a + b);
  return { ...strip, halfLength: a + by, halfHeight: b + by };
}

/** The point so far along and across the reading direction from a strip's middle. */
export function pointIn({ middle, direction }: Pick<Strip, 'middle' | 'direction'>, along: number, across: number): Point {
  return { x: middle.x + along * direction.x - across * direction.y, y: middle.y + along * direction.y + across * direction.x };
}

/** The part of a strip between two shares of its length, 0–1. */
export function partOf(strip: Strip, from: number, to: number): Strip {
  const middle = pointIn(strip, (from + to - 1) * strip.halfLength, 0);
  return { ...strip, middle, halfLength: (to - from) * strip.halfLength };
}

/** Row by row, and in a row from left to right. Strips are in one row when the middle of one is within the height of the row's first. */
export function inReadingOrder(strips: readonly Strip[]): Strip[] {
  const rows: { readonly first: Strip; readonly all: Strip[] }[] = [];
  for (const strip of strips.toSorted((a, b) => a.middle.y - b.middle.y)) {
    const row = rows.at(-1);
    if (row && Math.abs(strip.middle.y - row.first.middle.y) < Math.min(strip.halfHeight, row.first.halfHeight)) row.all.push(strip);
    else rows.push({ first: strip, all: [strip] });
  }
  return rows.flatMap(({ all }) => all.toSorted((a, b) => a.middle.x - b.middle.x));
}

/** A strip in other units, such as the pixels of a larger picture. */
export function scaled({ middle, direction, halfLength, halfHeight }: Strip, by: number): Strip {
  return { middle: { x: middle.x * by, y: middle.y * by }, direction, halfLength: halfLength * by, halfHeight: halfHeight * by };
}

/** A strip in ratios of its picture: its corners, in the order of reading from the left upper one, and the upright box around them. */
export function outlineOf(strip: Strip, picture: Size): { readonly corners: readonly Point[]; readonly box: Box } {
  const { halfLength: a, halfHeight: b } = strip;
  const corners = [pointIn(strip, -a, -b), pointIn(strip, a, -b), pointIn(strip, a, b), pointIn(strip, -a, b)];
  const xs = corners.map(({ x }) => x);
  const ys = corners.map(({ y }) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const box = asRatios({ left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top }, picture);
  const within = (value: number) => Math.min(1, Math.max(0, value));
  return { corners: corners.map(({ x, y }) => ({ x: within(x / picture.width), y: within(y / picture.height) })), box };
}
