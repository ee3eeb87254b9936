import { parentPort, workerData } from 'node:worker_threads';
import type { ModelPaths } from '../models/ensureModels.ts';
import { loadFaces, type SeenFace } from './faces.ts';
import { loadModeration, type Suitability } from './moderation.ts';
import { loadObjects, type SeenObject } from './objects.ts';
import { decode, Unreadable } from './pixels.ts';
import { loadScenes } from './scenes.ts';
import { startTensors } from './tensors.ts';
import { loadText, type SeenLine } from './text.ts';

/** What a worker can be asked, and what it answers. */
export interface Answers {
  readonly labels: { readonly objects: readonly SeenObject[]; readonly classes: Float32Array };
  readonly faces: readonly SeenFace[];
  readonly text: readonly SeenLine[];
  readonly moderation: Suitability;
}
export type Question = keyof Answers;
export interface Request {
  readonly question: Question;
  /** A JPEG or PNG file. */
  readonly image: Uint8Array;
}
/** `unreadable`: the picture cannot be decoded. Any other failure ends the worker. */
export type Reply =
  | { readonly kind: 'answer'; readonly answer: Answers[Question] }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** No model sees more than 300 pixels; what is beyond sharpens the scaling only. */
const labelSide = 1024;
/** As large as the pipeline's analysis copy. Bounds the memory for a picture (50 MB) and the number of tiles (about 100). */
const faceSide = 4096;
/** Twice what lines are looked for in, so that small ones are read better. */
const textSide = 1920;
/** The model sees 224 pixels. */
const moderationSide = 512;

const models = workerData as ModelPaths;
const ready = startTensors();
const once = <T>(load: () => Promise<T>) => {
  let loaded: Promise<T> | null = null;
  return () => {
    loaded ??= ready.then(load);
    return loaded;
  };
};
const objects = once(() => loadObjects(models.objects));
const scenes = once(() => loadScenes(models.scenes));
const faces = once(() => loadFaces(models.faces));
const text = once(() => loadText(models.text));
const moderation = once(() => loadModeration(models.moderation));

const questions: { readonly [Q in Question]: (image: Uint8Array) => Promise<Answers[Q]> } = {
  labels: async (image) => {
    const picture = await decode(image, labelSide);
    return { objects: await (await objects())(picture), classes: await (await scenes())(picture) };
  },
  faces: async (image) => (await faces())(await decode(image, faceSide)),
  text: async (image) => (await text())(await decode(image, textSide)),
  moderation: async (image) => (await moderation())(await decode(image, moderationSide)),
};

async function reply({ question, image }: Request): Promise<Reply> {
  try {
    return { kind: 'answer', answer: await questions[question](image) };
  } catch (error) {
    if (error instanceof Unreadable) return { kind: 'unreadable', reason: error.message };
    throw error;
  }
}

parentPort?.on('message', async (request: Request) => parentPort?.postMessage(await reply(request)));
