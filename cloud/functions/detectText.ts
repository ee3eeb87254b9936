import { detectText } from '../steps/detectText.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(detectText);
