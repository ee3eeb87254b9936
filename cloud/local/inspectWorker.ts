import { parentPort, workerData } from 'node:worker_threads';
import { inspect } from './inspectDatabase.ts';

/** Run as a worker thread, for `inspectDatabase`. */
const { path, version } = workerData as { readonly path: string; readonly version: number };
parentPort?.postMessage(inspect(path, version));
