import { parentPort, workerData } from 'node:worker_threads';
import { readDocument } from './xmlDocument.ts';

/** Run as a worker thread: reads the one document that it is given. */
parentPort?.postMessage(readDocument(workerData));
