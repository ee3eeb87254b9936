import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import sharp, { type Sharp } from 'sharp';

const demo = join(dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')), 'demo');

/** One of six photos of people, 1920 pixels wide. */
export const sample = (number: number): Promise<Buffer> => readFile(join(demo, `sample${number}.jpg`));

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

/** Strokes of some letters, in a box 60 wide and 100 high. Drawn here, since not every computer has a font. */
const strokes: Readonly<Record<string, string>> = {
  C: 'M58 18A32 48 0 1 0 58 82',
  E: 'M58 2H6V98H58M6 48H50',
  I: 'M30 2V98',
  N: 'M4 98V2L56 98V2',
  O: 'M30 2A28 48 0 1 0 30 98A28 48 0 1 0 30 2Z',
  T: 'M2 2H58M30 2V98',
  V: 'M2 2L30 98L58 2',
  '0': 'M30 2A24 48 0 1 0 30 98A24 48 0 1 0 30 2Z',
  '2': 'M6 26A25 25 0 1 1 50 42L6 98H56',
  '4': 'M44 98V2L4 68H58',
};

/** A sheet of paper of 1024 × 400 pixels with one line of text on it, of the letters above and spaces. */
export const drawnText = (text: string): Sharp => {
  const letters = [...text].map((letter, i) => `<path transform="translate(${i * 74} 0)" d="${strokes[letter] ?? ''}"/>`);
  return sharp(
    Buffer.from(
      `<svg width="1024" height="400"><rect width="1024" height="400" fill="#f4f1ea"/>
      <g transform="translate(70 150)" fill="none" stroke="#222" stroke-width="13">${letters.join('')}</g></svg>`,
    ),
  ).removeAlpha();
};
