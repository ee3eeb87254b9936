import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import * as v from 'valibot';
import { expect, it } from 'vitest';
import { jsonService, operation } from '../../../cloud/local/gateway/jsonService.ts';
import { ServiceError } from '../../../cloud/local/gateway/service.ts';
import { loadStateMachine } from '../../../cloud/local/stateMachine.ts';
import type { Claimant, Task } from '../../../cloud/steps/state.ts';
import { steps } from '../../../cloud/steps/steps.ts';
import { keysIn, openBackend, recordOf, send, type TestBackend } from './openBackend.ts';

/** A Rekognition that answers this to DetectLabels and DetectFaces. */
function rekognition({ labels = () => ({ Labels: [] }), faces = () => ({ FaceDetails: [] }) }: Record<string, () => object>) {
  const operations = {
    DetectLabels: operation(v.unknown(), async () => labels()),
    DetectFaces: operation(v.unknown(), async () => faces()),
  };
  return jsonService({ targetPrefix: 'RekognitionService', version: '1.1', operations });
}

const refuse = (code: string, status = 400) => {
  throw new ServiceError(code, 'not now', status);
};

const picture = await sharp({ create: { width: 200, height: 150, channels: 3, background: '#08f' } })
  .png()
  .toBuffer();
const definition = await readFile(new URL('../../../cloud/pipeline.asl.json', import.meta.url), 'utf8');

/** Runs the pipeline once for an asset. */
function run({ execution: Name, ...Input }: Claimant, backend: TestBackend) {
  const tasks = Object.entries<Task>(steps).map(([name, step]) => [name, (input: unknown) => step(input, backend)]);
  const execution = { Id: Name, Input, Name, StartTime: '2024-01-01T00:00:00.000Z' };
  return loadStateMachine(definition, Object.fromEntries(tasks)).run(execution).ending;
}

it('there is no safe share of a crowd, and the record says so', async () => {
  const face = { BoundingBox: { Left: 0, Top: 0, Width: 0.1, Height: 0.1 } };
  const faces = () => ({ FaceDetails: Array.from({ length: 100 }, () => face) });
  const backend = await openBackend({ rekognition: rekognition({ faces }) });
  const who = await send(backend, picture);
  expect(await run(who, backend)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await recordOf(backend, who)).toMatchObject({
    faces: null,
    renditions: ['thumb', 'preview', 'analysis'],
    outcome: { kind: 'analysed' },
  });
  expect(await keysIn(backend, backend.names.outputBucket)).not.toContain(`local/${who.asset}/pixelated.jpg`);
});

it('a throttled Rekognition is asked again', async () => {
  let calls = 0;
  // More often than the SDK tries by itself.
  const labels = () => (++calls <= 4 ? refuse('ThrottlingException') : { Labels: [{ Name: 'Sky', Confidence: 91.23456 }] });
  const backend = await openBackend({ rekognition: rekognition({ labels }) });
  const who = await send(backend, picture);
  expect(await run(who, backend)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await recordOf(backend, who)).toMatchObject({
    labels: [{ name: 'Sky', confidence: 91.23, parents: [], categories: [], instances: [] }],
  });
});

it('a missing permission fails the execution at once: nothing is rejected for it, and the next one succeeds', async () => {
  let allowed = false;
  const labels = () => (allowed ? { Labels: [] } : refuse('AccessDeniedException'));
  const backend = await openBackend({ rekognition: rekognition({ labels }) });
  const who = await send(backend, picture);
  expect(await run(who, backend)).toMatchObject({ status: 'FAILED', error: 'AccessDeniedException' });
  expect((await recordOf(backend, who))?.outcome.kind).toBe('pending');
  allowed = true;
  expect(await run({ ...who, execution: 'execution-2', attempt: 2 }, backend)).toMatchObject({ status: 'SUCCEEDED' });
  expect((await recordOf(backend, who))?.outcome.kind).toBe('analysed');
});

it('an execution that runs again from its beginning, after any step, changes nothing more', async () => {
  const backend = await openBackend({ rekognition: rekognition({}) });
  const who = await send(backend, picture);
  await run(who, backend);
  const record = await recordOf(backend, who);
  const objects = await keysIn(backend, backend.names.inputBucket);
  expect(await run(who, backend)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await recordOf(backend, who)).toEqual(record);
  expect(await keysIn(backend, backend.names.inputBucket)).toEqual(objects);
});
