import { poster } from '../steps/poster.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(poster);
