import { admit } from '../steps/admit.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(admit);
