import { detectFaces } from '../steps/detectFaces.ts';
import { lambda } from './lambda.ts';

export const handler = lambda(detectFaces);
