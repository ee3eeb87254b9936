import type { Clock } from '../../../shared/clock.ts';
import type { Service } from '../gateway/service.ts';
import type { ObjectCreated } from './events.ts';

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
  /** Gets one line when `onEvent` failed and will be called again. */
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
 * Opens the object store in `dir`.
 * @throws InvalidInput when a newer Pixwatch wrote it
 */
export declare function createS3(options: S3Options): Promise<S3>;
