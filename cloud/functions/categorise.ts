import { categorise } from '../steps/categorise.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(categorise);
