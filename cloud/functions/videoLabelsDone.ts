import { videoLabelsDone } from '../steps/videoLabelsDone.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(videoLabelsDone);
