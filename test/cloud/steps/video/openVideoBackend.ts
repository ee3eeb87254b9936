import { join } from 'node:path';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import sharp from 'sharp';
import { onTestFinished } from 'vitest';
import { openDatabase } from '../../../../cloud/local/database.ts';
import { createExecutions } from '../../../../cloud/local/executions.ts';
import { jsonService } from '../../../../cloud/local/gateway/jsonService.ts';
import type { Service } from '../../../../cloud/local/gateway/service.ts';
import type { FoundLabel } from '../../../../cloud/local/rekognition/labels.ts';
import { createVideos } from '../../../../cloud/local/rekognition/video/createVideos.ts';
import { createRunner } from '../../../../cloud/local/runner.ts';
import { loadStateMachine } from '../../../../cloud/local/stateMachine.ts';
import { createStates } from '../../../../cloud/local/states.ts';
import { createTaskTokens } from '../../../../cloud/local/taskTokens.ts';
import type { PipelineSettings } from '../../../../cloud/steps/backend.ts';
import { rangesOf } from '../../../../cloud/steps/objects.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { scratchDir } from '../../local/serve.ts';
import { openBackend, type TestBackend } from '../openBackend.ts';

export interface VideoBackend {
  readonly backend: TestBackend;
  /** Calls of StartLabelDetection that were answered. */
  started(): number;
  /** What Rekognition told when it was done, oldest first. */
  readonly published: readonly string[];
  readonly tokens: ReturnType<typeof createTaskTokens>;
}

/**
 * As `openBackend`, with Rekognition's label detection of videos and the tokens of states that wait. What the models would see is seen by colour: what is behind
 * the dog is brown, behind the frog green.
 * @param fault stands before Rekognition
 * @param watch sees what is asked of each service
 */
export async function openVideoBackend(
  settings: Partial<PipelineSettings> = {},
  fault: (service: Service) => Service = (service) => service,
  watch?: (name: string, service: Service) => Service,
): Promise<VideoBackend> {
  const database = await openDatabase(join(await scratchDir(), 'video.db'));
  onTestFinished(database.close);
  const published: string[] = [];
  let opened: TestBackend | null = null;
  const openObject = async (Bucket: string, Key: string) => {
    if (!opened) throw new Error('it is not open yet');
    const { ContentLength = 0 } = await opened.s3.send(new HeadObjectCommand({ Bucket, Key }));
    return rangesOf(opened, Key, ContentLength);
  };
  const log = (line: string) => console.error(line);
  const publish = (_: string, message: string) => void published.push(message);
  const videos = createVideos({ database, clock: systemClock, openObject, publish, onLookedAt: () => {}, log }, animalIn);
  onTestFinished(videos.close);
  let started = 0;
  const service = jsonService({ targetPrefix: 'RekognitionService', version: '1.1', operations: videos.operations });
  const rekognition = fault(async (request, response) => {
    await service(request, response);
    if (String(request.headers['x-amz-target']).endsWith('.StartLabelDetection')) started++;
  });

  const tokens = createTaskTokens();
  const executions = createExecutions(database.sql, systemClock);
  const nothing = JSON.stringify({ StartAt: 'Done', States: { Done: { Type: 'Succeed' } } });
  const stateMachine = loadStateMachine(nothing, {});
  const runner = createRunner({ executions, stateMachine, concurrency: 1, onFailed: async () => {}, log });
  opened = await openBackend({ rekognition, states: createStates(executions, runner, tokens) }, settings, watch);
  return { backend: opened, started: () => started, published, tokens };
}

async function animalIn(jpeg: Buffer): Promise<FoundLabel[]> {
  const { width, height } = await sharp(jpeg).metadata();
  const corner = { left: 0, top: 0, width: Math.floor(width / 4), height: Math.floor(height / 4) };
  const [red = 0, green = 0] = await sharp(jpeg).extract(corner).resize(1, 1, { fit: 'fill', kernel: 'linear' }).raw().toBuffer();
  const label = (name: string, confidence: number): FoundLabel => ({
    ...{ name, confidence, parents: [], category: 'Animals and Pets' },
    instances: [{ box: { left: 0, top: 0, width: 1, height: 1 }, confidence }],
  });
  return [red > green ? label('Dog', 90) : label('Frog', 80), label('Animal', 95), label('Fog', 20)];
}
