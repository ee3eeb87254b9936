import { park } from '../steps/park.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(park);
