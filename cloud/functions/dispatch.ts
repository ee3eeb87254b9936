import { dispatch } from '../steps/dispatch.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(dispatch);
