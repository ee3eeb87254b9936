import { file } from '../steps/file.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(file);
