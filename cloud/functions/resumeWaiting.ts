import { resumeWaiting } from '../steps/waiting.ts';
import { lambda } from './lambda.ts';

/** Called by a timer. */
export const handler = lambda((_, backend) => resumeWaiting(backend));
