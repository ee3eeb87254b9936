import { detectLabels } from '../steps/detectLabels.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(detectLabels);
