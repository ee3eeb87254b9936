import { startVideoLabels } from '../steps/startVideoLabels.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(startVideoLabels);
