import { executionEnded } from '../steps/executionEnded.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(executionEnded);
