import { render } from '../steps/render.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(render);
