import { cp, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ensureModels, type ModelPaths } from '../../../../cloud/local/rekognition/models/ensureModels.ts';
import { createVision, type Vision } from '../../../../cloud/local/rekognition/vision/createVision.ts';
import { pixwatchModelsDir } from '../../../../desktop/host/dataDir.ts';
import { Permanent, Transient } from '../../../../shared/errors.ts';
import { scratchDir } from '../serve.ts';
import { smallSample } from './photos.ts';

const published = () => ensureModels({ dir: pixwatchModelsDir(process.env), onProgress: () => {} });

function visionOf(models: ModelPaths, workers = 1): Vision {
  const vision = createVision({ models, workers });
  onTestFinished(vision.close);
  return vision;
}

test('a thread that fails is replaced at the next question', async () => {
  const dir = await scratchDir();
  const models = await published();
  const faces = join(dir, 'blazeface.json');
  await cp(models.faces.replace(/json$/, 'bin'), join(dir, 'blazeface.bin'));
  const vision = visionOf({ ...models, faces });
  await expect(vision.ask('faces', () => smallSample(1))).rejects.toThrow(Transient);

  await cp(models.faces, faces);
  expect(await vision.ask('faces', () => smallSample(1))).toHaveLength(3);

  // Once read, the weights are not needed any more.
  await rename(faces, `${faces}.gone`);
  expect(await vision.ask('faces', () => smallSample(2))).toHaveLength(3);
});

test('a picture is only read when a thread is free for it, and one that cannot be read does no harm', async () => {
  const vision = visionOf(await published());
  let held = 0;
  let most = 0;
  const ask = async (number: number) => {
    const faces = await vision.ask('faces', () => {
      held += 1;
      most = Math.max(most, held);
      return smallSample(number);
    });
    held -= 1;
    return faces.length;
  };
  const damaged = vision.ask('faces', async () => Buffer.from('no picture'));
  const missing = vision.ask('faces', async () => {
    throw new Transient('not there yet');
  });
  const asked = Promise.all([ask(1), ask(4), ask(5)]);
  await expect(damaged).rejects.toThrow(Permanent);
  await expect(missing).rejects.toThrow('not there yet');
  expect(await asked).toEqual([3, 4, 5]);
  // While one answer is handed out the next picture is read already.
  expect(most).toBeLessThanOrEqual(2);
});

test('closing ends what is under way and what waits, and starts nothing more', async () => {
  const vision = visionOf(await published(), 2);
  const underWay = vision.ask('faces', () => smallSample(1));
  const reading = vision.ask('faces', async () => {
    await sleep(300);
    return smallSample(2);
  });
  const waiting = vision.ask('faces', () => expect.unreachable('it is not read any more'));
  const ended = Promise.allSettled([underWay, reading, waiting]);
  await sleep(100);
  await vision.close();
  for (const one of await ended) expect(one).toMatchObject({ status: 'rejected', reason: { name: 'Transient' } });
  await expect(vision.ask('faces', () => smallSample(1))).rejects.toThrow('closing');
});
