import { keep } from '../steps/keep.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(keep);
