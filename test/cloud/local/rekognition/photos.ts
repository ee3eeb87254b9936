import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import sharp, { type Sharp } from 'sharp';

const demo = join(dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')), 'demo');

/** How wide the samples are, in pixels. */
export const sampleWidth = 1920;

/** One of six photos of people. */
export const sample = (number: number): Promise<Buffer> => readFile(join(demo, `sample${number}.jpg`));

/** A copy of a sample that is only so wide, which the models need much less time for. Its faces take the same share of it. */
export const smallSample = async (number: number, width = 640): Promise<Buffer> => shrunk(await sample(number), width);

/** A photo made so wide. */
export const shrunk = (photo: Buffer, width = 640): Promise<Buffer> => sharp(photo).resize(width).jpeg({ quality: 90 }).toBuffer();

/** Where the faces are in the samples, from left to right, seen by eye: middle and width in pixels. */
export const facesOf: Readonly<Record<number, readonly (readonly [x: number, y: number, width: number])[]>> = {
  1: [
    [517, 499, 200],
    [941, 558, 195],
    [1568, 334, 163],
  ],
  2: [
    [443, 293, 193],
    [987, 361, 209],
    [1554, 293, 199],
  ],
  3: [
    [693, 485, 232],
    [1187, 383, 238],
    [1587, 451, 243],
  ],
  4: [
    [322, 335, 194],
    [758, 211, 164],
    [1083, 318, 198],
    [1358, 285, 148],
  ],
  5: [
    [471, 1045, 238],
    [674, 564, 205],
    [860, 245, 164],
    [1203, 348, 186],
    [1520, 544, 233],
  ],
  6: [
    [354, 647, 235],
    [782, 501, 252],
    [1264, 465, 241],
    [1592, 432, 245],
  ],
};

const line = (angle: number, from: number, to: number, width: number) => {
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const points = `x1="${320 + from * sin}" y1="${320 - from * cos}" x2="${320 + to * sin}" y2="${320 - to * cos}"`;
  return `<line ${points} stroke="#111" stroke-width="${width}"/>`;
};

/** A wall clock drawn in the middle of 640 × 640 pixels, 460 wide. */
export const drawnClock = (): Sharp =>
  sharp(
    Buffer.from(
      `<svg width="640" height="640"><rect width="640" height="640" fill="#d8cfc0"/><circle cx="320" cy="320" r="230" fill="#222"/>
      <circle cx="320" cy="320" r="210" fill="#fdfdf8"/>
      ${Array.from({ length: 12 }, (_, i) => line((i * Math.PI) / 6, 170, 200, i % 3 ? 6 : 14)).join('')}
      ${line(-0.6, 0, 108, 14)}${line(0.83, 0, 149, 9)}</svg>`,
    ),
  ).removeAlpha();

/** A traffic light drawn in 480 × 640 pixels. */
export const drawnTrafficLight = (): Sharp =>
  sharp(
    Buffer.from(
      `<svg width="480" height="640"><rect width="480" height="640" fill="#9cf"/><rect x="228" y="420" width="24" height="220" fill="#444"/>
      <rect x="160" y="80" width="160" height="380" rx="20" fill="#1a1a1a"/><circle cx="240" cy="150" r="50" fill="#f22"/>
      <circle cx="240" cy="270" r="50" fill="#430"/><circle cx="240" cy="390" r="50" fill="#041"/></svg>`,
    ),
  ).removeAlpha();

type Stroke = readonly (readonly [x: number, y: number])[];

/** A part of an ellipse around 30, 50, in degrees clockwise from the right. */
const arc = (width: number, from: number, to: number): Stroke =>
  Array.from({ length: 33 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / 32) * Math.PI) / 180;
    return [30 + (width / 2) * Math.cos(angle), 50 + 48 * Math.sin(angle)];
  });

/** Strokes of some letters, in a box 60 wide and 100 high. Drawn here, since not every computer has a font, and without SVG, which the steps lock out. */
const letters: Readonly<Record<string, readonly Stroke[]>> = {
  C: [arc(56, 45, 315)],
  E: [
    [
      [58, 2],
      [6, 2],
      [6, 98],
      [58, 98],
    ],
    [
      [6, 48],
      [50, 48],
    ],
  ],
  I: [
    [
      [30, 2],
      [30, 98],
    ],
  ],
  N: [
    [
      [4, 98],
      [4, 2],
      [56, 98],
      [56, 2],
    ],
  ],
  O: [arc(56, 0, 360)],
  T: [
    [
      [2, 2],
      [58, 2],
    ],
    [
      [30, 2],
      [30, 98],
    ],
  ],
  V: [
    [
      [2, 2],
      [30, 98],
      [58, 2],
    ],
  ],
  '0': [arc(46, 0, 360)],
  '2': [
    [
      [6, 26],
      [10, 12],
      [20, 4],
      [30, 2],
      [42, 5],
      [51, 14],
      [54, 26],
      [50, 42],
      [6, 98],
      [56, 98],
    ],
  ],
  '4': [
    [
      [44, 98],
      [44, 2],
      [4, 68],
      [58, 68],
    ],
  ],
};

/** A sheet of paper of 1024 × 400 pixels with one line of text on it, of the letters above and spaces. */
export function drawnText(text: string): Sharp {
  const [width, height, halfPen] = [1024, 400, 6.5];
  const data = Buffer.alloc(width * height, 240);
  const draw = ([ax, ay]: Stroke[number], [bx, by]: Stroke[number]) => {
    const length = Math.hypot(bx - ax, by - ay) ** 2 || 1;
    for (let y = Math.floor(Math.min(ay, by) - 8); y <= Math.max(ay, by) + 8; y++) {
      for (let x = Math.floor(Math.min(ax, bx) - 8); x <= Math.max(ax, bx) + 8; x++) {
        const along = Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length));
        if (Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)) <= halfPen) data[y * width + x] = 34;
      }
    }
  };
  for (const [i, letter] of [...text].entries()) {
    for (const stroke of letters[letter] ?? []) {
      const placed = stroke.map(([x, y]) => [70 + i * 74 + x, 150 + y] as const);
      for (const [j, to] of placed.entries()) draw(placed[j - 1] ?? to, to);
    }
  }
  return sharp(data, { raw: { width, height, channels: 1 } });
}
