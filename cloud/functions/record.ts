import { record } from '../steps/record.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(record);
