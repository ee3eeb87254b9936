import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { render } from '../../../cloud/steps/render.ts';
import { Permanent } from '../../../shared/errors.ts';
import { headOf, keysIn, openBackend, send } from './openBackend.ts';

const sample = await readFile(new URL('../../../node_modules/@vladmandic/face-api/demo/sample1.jpg', import.meta.url));

it('writes renditions and grids, the same ones each time', async () => {
  const backend = await openBackend();
  const { outputBucket } = backend.names;
  const who = await send(backend, sample);
  expect(await render(who, backend)).toEqual({ width: 1920, height: 1280, animated: false });

  const folder = `local/${who.asset}`;
  const files = ['analysis.jpg', ...[16, 32, 48, 64, 8].map((n) => `grid-${n}x${n}.png`), 'preview.webp', 'thumb.webp'];
  expect(await keysIn(backend, outputBucket)).toEqual(files.map((file) => `${folder}/${file}`));
  const types = await Promise.all(
    ['analysis.jpg', 'grid-8x8.png', 'thumb.webp'].map((file) => headOf(backend, outputBucket, `${folder}/${file}`)),
  );
  expect(types.map(({ ContentType }) => ContentType)).toEqual(['image/jpeg', 'image/png', 'image/webp']);

  const etags = async () => Promise.all(files.map(async (file) => (await headOf(backend, outputBucket, `${folder}/${file}`)).ETag));
  const before = await etags();
  await render(who, backend);
  expect(await etags()).toEqual(before);
});

it('refuses a damaged picture and writes nothing', async () => {
  const backend = await openBackend();
  const who = await send(backend, sample.subarray(0, 50_000));
  await expect(render(who, backend)).rejects.toThrow(Permanent);
  expect(await keysIn(backend, backend.names.outputBucket)).toEqual([]);
});
