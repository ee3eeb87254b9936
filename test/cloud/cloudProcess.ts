import { fileURLToPath } from 'node:url';
import * as names from '../../cloud/local/names.ts';
import { startLocalCloud } from '../../cloud/local/startLocalCloud.ts';
import { type Backend, createBackend, pipelineSettings } from '../../cloud/steps/backend.ts';
import { pixwatchModelsDir } from '../../desktop/host/dataDir.ts';
import { systemClock } from '../../shared/clock.ts';
import type { Connection, Credentials } from '../../shared/connection.ts';
import { parse } from '../../shared/parse.ts';

/** Run as a process of its own, this is the local cloud of the folder in its argument, so that a test can kill it. */

export interface CloudProcessMessage {
  readonly connection: Connection;
  readonly credentials: Credentials;
}

/** The backend's clients, for a test to look at what a local cloud has done. */
export function backendOf({ endpoint = '', region }: Connection, credentials: Credentials): Backend {
  return createBackend(
    { endpoint, region, credentials },
    {
      names: names.backendNames(endpoint),
      settings: parse(pipelineSettings, { secondsBetweenExecutions: 0 }, 'settings'),
      clock: systemClock,
      warn: () => {},
    },
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const cloud = await startLocalCloud({
    dir: process.argv[2] ?? '',
    models: pixwatchModelsDir(process.env),
    workers: 1,
    settings: { secondsBetweenExecutions: 0, detectors: { labels: true, text: false, faces: true, moderation: false, videoLabels: true } },
    clock: systemClock,
    log: () => {},
  });
  await cloud.ready;
  process.send?.({ connection: cloud.connection, credentials: cloud.credentials } satisfies CloudProcessMessage);
}
