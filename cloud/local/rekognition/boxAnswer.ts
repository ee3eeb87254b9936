import type { Box } from './vision/boxes.ts';

/** Rekognition's BoundingBox. */
export const boxAnswer = ({ left, top, width, height }: Box) => ({ Left: left, Top: top, Width: width, Height: height });
