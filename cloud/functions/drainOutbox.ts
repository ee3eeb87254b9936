import { drainOutbox } from '../steps/outbox.ts';
import { lambda } from './lambda.ts';

/** Called by a timer. */
export const handler = lambda((_, backend) => drainOutbox(backend));
