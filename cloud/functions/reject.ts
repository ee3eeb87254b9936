import { reject } from '../steps/reject.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(reject);
