import { pixelate } from '../steps/pixelate.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(pixelate);
