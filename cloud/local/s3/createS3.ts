import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../shared/clock.ts';
import type { Service } from '../gateway/service.ts';
import { forgetAbandoned } from './abandoned.ts';
import { openBlobs } from './blobs.ts';
import { addBucket } from './buckets.ts';
import { openDatabase } from './database.ts';
import { type ObjectCreated, startEvents } from './events.ts';
import { isBlobAlive } from './metadata.ts';
import { s3Service } from './route.ts';

export interface S3Options {
  /** Made when missing. Only one process may have it open. */
  readonly dir: string;
  readonly clock: Clock;
  readonly region: string;
  /**
   * Gets the event of every object that was created, at least once and in their order: the event is durable with the object, and is
   * given again, also after a restart, until the returned promise fulfils.
   */
  onEvent(event: ObjectCreated): Promise<void>;
  /** Gets a line for what failed and is tried again. */
  log(line: string): void;
}

export interface S3 {
  /** To be put behind the gateway. */
  readonly service: Service;
  /** Does nothing when it exists. */
  createBucket(name: string): Promise<void>;
  /** Waits for what is under way. Close the gateway first. */
  close(): Promise<void>;
}

/**
 * Opens the object store in `dir`: `s3.db` knows the objects, `blobs/` has their bytes.
 * @throws InvalidInput when a newer Pixwatch wrote it
 */
export async function createS3({ dir, clock, region, onEvent, log }: S3Options): Promise<S3> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const database = await openDatabase(dir, log);
  const blobs = await openBlobs(join(dir, 'blobs'), (blob) => isBlobAlive(database, blob), log);
  const events = startEvents(database, { region, onEvent, log });
  const store = { database, blobs, events, clock, region };
  const forgetting = forgetAbandoned(store, log);
  return {
    service: s3Service(store),
    createBucket: (name) => addBucket(store, name),
    async close() {
      await forgetting.close();
      await events.close();
      await blobs.close();
      await database.close();
    },
  };
}
