import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { writeJson } from '../../../cloud/steps/objects.ts';
import { pixelate } from '../../../cloud/steps/pixelate.ts';
import { regionOf } from '../../../cloud/steps/pixelatePicture.ts';
import { render } from '../../../cloud/steps/render.ts';
import { contentOf, openBackend, send } from './openBackend.ts';

const sample = await readFile(new URL('../../../node_modules/@vladmandic/face-api/demo/sample1.jpg', import.meta.url));
const box = { left: 0.3, top: 0.2, width: 0.2, height: 0.3 };

it('makes the safe share of a picture and its faces', async () => {
  const backend = await openBackend();
  const who = await send(backend, sample);
  const rendered = await render(who, backend);
  const key = `local/${who.asset}/raw/faces.json`;
  await writeJson(backend, key, { faces: [{ box, confidence: 99 }] });
  const faces = { known: true, key, summary: '1 face' };
  expect(await pixelate({ ...who, rendered, faces }, backend)).toEqual(faces);

  const share = await contentOf(backend, backend.names.outputBucket, `local/${who.asset}/pixelated.jpg`);
  const { format, width, height, exif, icc, xmp, iptc } = await sharp(share).metadata();
  expect({ format, width, height }).toEqual({ format: 'jpeg', width: 1920, height: 1280 });
  expect([exif, icc, xmp, iptc]).toEqual([undefined, undefined, undefined, undefined]);
  expect(await detailIn(share)).toBeLessThan((await detailIn(sample)) / 20);
});

/** How much neighbouring pixels differ inside the blocks of the face: the mean over the middle of one block. */
async function detailIn(picture: Buffer): Promise<number> {
  const region = regionOf(box, { width: 1920, height: 1280 });
  if (!region) throw new Error('the box lies outside the picture');
  const block = { width: Math.floor(region.width / 4), height: Math.floor(region.height / 4) };
  const inside = {
    left: region.left + block.width + 10,
    top: region.top + block.height + 10,
    width: block.width - 20,
    height: block.height - 20,
  };
  const { channels } = await sharp(await sharp(picture).extract(inside).png().toBuffer()).stats();
  return Math.max(...channels.map(({ stdev }) => stdev));
}

it('keeps the size of a tiny picture, whose analysis copy is enlarged', async () => {
  const backend = await openBackend();
  const tiny = await sharp({ create: { width: 20, height: 30, channels: 3, background: '#08f' } })
    .png()
    .toBuffer();
  const who = await send(backend, tiny);
  const rendered = await render(who, backend);
  const key = `local/${who.asset}/raw/faces.json`;
  await writeJson(backend, key, { faces: [] });
  await pixelate({ ...who, rendered, faces: { known: true, key, summary: '0 faces' } }, backend);
  const share = await contentOf(backend, backend.names.outputBucket, `local/${who.asset}/pixelated.jpg`);
  expect(await sharp(share).metadata()).toMatchObject({ width: 20, height: 30 });
});
