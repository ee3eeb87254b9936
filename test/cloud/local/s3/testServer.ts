import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { startGateway } from '../../../../cloud/local/gateway/startGateway.ts';
import { createS3 } from '../../../../cloud/local/s3/createS3.ts';
import type { ObjectCreated } from '../../../../cloud/local/s3/events.ts';
import { type Clock, systemClock } from '../../../../shared/clock.ts';
import { credentials, type RawAnswer, type RawRequest, region, send } from '../gateway/rawRequest.ts';

/** A gateway with S3 on a folder of its own, and the real SDK as its client. */
export interface TestServer {
  readonly dir: string;
  readonly endpoint: string;
  readonly client: S3Client;
  /** Taken so far. */
  readonly events: ObjectCreated[];
  readonly log: string[];
  /** Sends a signed request that no SDK would send. */
  send(path: string, rest?: Partial<RawRequest>): Promise<RawAnswer>;
  /** Stops, and keeps the folder. */
  stop(): Promise<void>;
  /** Stops, and removes the folder. */
  remove(): Promise<void>;
}

export interface TestServerOptions {
  readonly dir?: string;
  readonly clock?: Clock;
  onEvent?(event: ObjectCreated): Promise<void>;
}

/** Starts a server with the bucket `box`. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'pixwatch-s3-')));
  const clock = options.clock ?? systemClock;
  const events: ObjectCreated[] = [];
  const log: string[] = [];
  const take = async (event: ObjectCreated) => {
    await options.onEvent?.(event);
    events.push(event);
  };
  const s3 = await createS3({ dir, clock, region, onEvent: take, log: (line) => log.push(line) });
  await s3.createBucket('box');
  const services = { s3: s3.service };
  const gateway = await startGateway({ port: 0, credentials, region, services, clock, log: (line) => log.push(line) });
  const client = newClient(gateway.endpoint);
  const stop = async () => {
    client.destroy();
    await gateway.close();
    await s3.close();
  };
  return {
    dir,
    endpoint: gateway.endpoint,
    client,
    events,
    log,
    send: (path, rest) => send({ endpoint: gateway.endpoint, path, ...rest }),
    stop,
    async remove() {
      await stop();
      await rm(dir, { recursive: true });
    },
  };
}

export const newClient = (endpoint: string, config: S3ClientConfig = {}): S3Client =>
  new S3Client({ endpoint, region, credentials, maxAttempts: 1, ...config });

/** For `expect.poll`: what happens in the background happens at once, but on a busy machine that may take a while. */
export const soon = { timeout: 20_000 };
