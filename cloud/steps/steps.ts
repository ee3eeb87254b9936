import { admit } from './admit.ts';
import { announce } from './announce.ts';
import { categorise } from './categorise.ts';
import { detectFaces } from './detectFaces.ts';
import { detectLabels } from './detectLabels.ts';
import { detectModeration } from './detectModeration.ts';
import { detectText } from './detectText.ts';
import { file } from './file.ts';
import { keep } from './keep.ts';
import { park } from './park.ts';
import { pixelate } from './pixelate.ts';
import { poster } from './poster.ts';
import { record } from './record.ts';
import { reject } from './reject.ts';
import { render } from './render.ts';
import { startVideoLabels } from './startVideoLabels.ts';
import type { Task } from './state.ts';

/** The tasks of pipeline.asl.json, by the names of their states and of the placeholders that stand for their functions. */
export const steps = {
  Admit: admit,
  Render: render,
  Poster: poster,
  DetectLabels: detectLabels,
  DetectText: detectText,
  DetectModeration: detectModeration,
  DetectFaces: detectFaces,
  Pixelate: pixelate,
  StartVideoLabels: startVideoLabels,
  Categorise: categorise,
  Record: record,
  Keep: keep,
  Reject: reject,
  Park: park,
  File: file,
  Announce: announce,
} satisfies Record<string, Task>;
