import { detectModeration } from '../steps/detectModeration.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(detectModeration);
