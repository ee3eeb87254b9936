import { announce } from '../steps/announce.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(announce);
