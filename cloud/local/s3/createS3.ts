import { mkdir, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../shared/clock.ts';
import { messageOf } from '../../../shared/errors.ts';
import { Damage } from '../damage.ts';
import type { Service } from '../gateway/service.ts';
import { forgetAbandoned } from './abandoned.ts';
import { openBlobs } from './blobs.ts';
import { addBucket } from './buckets.ts';
import { type Database, openDatabase } from './database.ts';
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
  /** Whether objects were stored here before, as far as others know. Asked only when nothing is here. */
  isKnown?(): Promise<boolean>;
  /** It was found, after the start, that what is stored here cannot be relied on. Nothing is removed any more. */
  onDamage?(damage: Damage): void;
  /** Gets a line for what failed and is tried again. */
  log(line: string): void;
}

export interface S3 {
  /** To be put behind the gateway. */
  readonly service: Service;
  /** Does nothing when it exists. */
  createBucket(name: string): Promise<void>;
  /** Whether nothing is stored. */
  isEmpty(): boolean;
  /** Waits for what is under way. Close the gateway first. */
  close(): Promise<void>;
}

/**
 * Opens the object store in `dir`: `s3.db` knows the objects, `blobs/` has their bytes.
 * @throws Damage when one of the two is damaged, or missing without the other
 * @throws InvalidInput when a newer Pixwatch wrote it
 */
export async function createS3({
  dir,
  clock,
  region,
  onEvent,
  isKnown = async () => false,
  onDamage = () => {},
  log,
}: S3Options): Promise<S3> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const blobsDir = join(dir, 'blobs');
  const hasBlobs = await hasFiles(blobsDir);
  const database = await openDatabase(dir, { isKnown: async () => hasBlobs || isKnown(), log });
  const isEmpty = () => database.get('SELECT 1 FROM part LIMIT 1') === undefined;
  if (!hasBlobs && !isEmpty()) {
    await database.close();
    throw new Damage(`${blobsDir} is missing or empty: the photos that this computer stores.`);
  }
  const sound = whetherSound(database, onDamage, log);
  const blobs = await openBlobs(blobsDir, { isAlive: (blob) => isBlobAlive(database, blob), sound, log });
  const events = startEvents(database, { region, onEvent, log });
  const store = { database, blobs, events, clock, region };
  const forgetting = forgetAbandoned(store, log);
  return {
    service: s3Service(store),
    createBucket: (name) => addBucket(store, name),
    isEmpty,
    async close() {
      await forgetting.close();
      await events.close();
      await blobs.close();
      await database.close();
    },
  };
}

async function whetherSound({ inspected }: Database, onDamage: (damage: Damage) => void, log: (line: string) => void): Promise<boolean> {
  try {
    const damage = await inspected;
    if (damage) onDamage(damage);
    return damage === null;
  } catch (thrown) {
    log(`The S3 metadata could not be looked through for damage, so nothing is removed from the disk: ${messageOf(thrown)}`);
    return false;
  }
}

async function hasFiles(dir: string): Promise<boolean> {
  const opened = await opendir(dir).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return null;
    throw thrown;
  });
  if (!opened) return false;
  const first = await opened.read();
  await opened.close();
  return first !== null;
}
