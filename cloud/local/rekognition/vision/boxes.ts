/** A rectangle in any unit, from its left upper corner. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A picture's size in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export const areaOf = ({ width, height }: Size) => width * height;

/** The area that two rectangles share. */
export function sharedArea(a: Box, b: Box): number {
  const width = Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left);
  const height = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top);
  return width > 0 && height > 0 ? width * height : 0;
}

/** How far two rectangles are the same, 0–1: shared area over joint area. */
export function overlap(a: Box, b: Box): number {
  const shared = sharedArea(a, b);
  return shared / (areaOf(a) + areaOf(b) - shared);
}

/** Keeps the best of those that show the same thing (non-maximum suppression), best first. `isRepeat` is asked of one and a better one. */
export function withoutRepeats<T extends { readonly box: Box; readonly score: number }>(
  found: readonly T[],
  isRepeat: (one: Box, better: Box) => boolean,
): T[] {
  const kept: T[] = [];
  for (const one of [...found].sort((a, b) => b.score - a.score)) {
    if (!kept.some((other) => isRepeat(one.box, other.box))) kept.push(one);
  }
  return kept;
}

/** In ratios of a picture's width and height, cut off at its borders. */
export function asRatios({ left, top, width, height }: Box, picture: Size): Box {
  const clamp = (value: number) => Math.min(1, Math.max(0, value));
  const [x0, y0] = [clamp(left / picture.width), clamp(top / picture.height)];
  const [x1, y1] = [clamp((left + width) / picture.width), clamp((top + height) / picture.height)];
  return { left: x0, top: y0, width: x1 - x0, height: y1 - y0 };
}
