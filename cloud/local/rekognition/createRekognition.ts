import * as v from 'valibot';
import { Permanent } from '../../../shared/errors.ts';
import { jsonService, operation } from '../gateway/jsonService.ts';
import type { Service } from '../gateway/service.ts';
import { boxAnswer } from './boxAnswer.ts';
import { type GetObject, type Image, image, invalidFormat, readImage } from './images.ts';
import { type FoundLabel, toLabels } from './labels.ts';
import type { ModelPaths } from './models/ensureModels.ts';
import { moderationLabels } from './moderationLabels.ts';
import { textDetections } from './textDetections.ts';
import { createVideos, type VideosOptions } from './video/createVideos.ts';
import { areaOf } from './vision/boxes.ts';
import { createVision } from './vision/createVision.ts';
import type { SeenFace } from './vision/faces.ts';
import type { Answers, Question } from './vision/worker.ts';

export interface RekognitionOptions {
  /** Of `ensureModels`. */
  readonly models: ModelPaths;
  /** How many pictures are looked at at a time; the others wait. Each worker takes about 1 GB. */
  readonly workers: number;
  readonly getObject: GetObject;
  /** What is needed to look at videos. */
  readonly videos: VideosOptions;
}

export interface Rekognition {
  /** To be put behind the gateway. */
  readonly service: Service;
  /** What is under way fails. Close the gateway first. */
  close(): Promise<void>;
}

/** Rekognition returns the 100 largest faces. */
const maxFaces = 100;

/** Rekognition's own defaults: https://docs.aws.amazon.com/rekognition/latest/APIReference/API_Operations.html */
const defaultMinConfidence = { labels: 55, words: 80, moderation: 50 };
const percent = v.pipe(v.number(), v.minValue(0), v.maxValue(100));

const detectLabelsInput = v.object({
  Image: image,
  MaxLabels: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  MinConfidence: v.optional(percent, defaultMinConfidence.labels),
  Features: v.optional(v.array(v.literal('GENERAL_LABELS', 'only GENERAL_LABELS is known here'))),
});

const detectFacesInput = v.object({
  Image: image,
  /** Taken, but what the model knows is answered whatever is asked for. */
  Attributes: v.optional(v.array(v.string())),
});

const detectTextInput = v.object({
  Image: image,
  Filters: v.optional(
    v.strictObject(
      { WordFilter: v.optional(v.strictObject({ MinConfidence: v.optional(percent) }, 'only MinConfidence is known here')) },
      'only WordFilter is known here',
    ),
  ),
});

const detectModerationLabelsInput = v.object({ Image: image, MinConfidence: v.optional(percent, defaultMinConfidence.moderation) });

/** Rekognition's DetectLabels, DetectFaces, DetectText, DetectModerationLabels and its label detection of videos, on models that run on this computer. */
export function createRekognition({ models, workers, getObject, videos: options }: RekognitionOptions): Rekognition {
  const vision = createVision({ models, workers });
  const look = async <Q extends Question>(question: Q, at: Image): Promise<Answers[Q]> => {
    try {
      return await vision.ask(question, () => readImage(at, getObject));
    } catch (error) {
      throw error instanceof Permanent ? invalidFormat(error.message, { cause: error }) : error;
    }
  };
  const videos = createVideos(options, async (jpeg) => {
    const { objects, classes } = await vision.ask('labels', async () => jpeg);
    return toLabels(objects, classes);
  });
  const operations = {
    ...videos.operations,
    DetectLabels: operation(detectLabelsInput, async ({ Image, MinConfidence, MaxLabels }) => {
      const { objects, classes } = await look('labels', Image);
      const labels = toLabels(objects, classes).filter(({ confidence }) => confidence >= MinConfidence);
      return { Labels: labels.slice(0, MaxLabels).map(labelAnswer), LabelModelVersion: '3.0' };
    }),
    DetectFaces: operation(detectFacesInput, async ({ Image }) => {
      const faces = await look('faces', Image);
      const largest = faces.toSorted((a, b) => areaOf(b.box) - areaOf(a.box));
      return { FaceDetails: largest.slice(0, maxFaces).map(faceAnswer) };
    }),
    DetectText: operation(detectTextInput, async ({ Image, Filters }) => {
      const minConfidence = Filters?.WordFilter?.MinConfidence ?? defaultMinConfidence.words;
      return { TextDetections: textDetections(await look('text', Image), minConfidence), TextModelVersion: '3.0' };
    }),
    DetectModerationLabels: operation(detectModerationLabelsInput, async ({ Image, MinConfidence }) => {
      const found = moderationLabels(await look('moderation', Image));
      return { ModerationLabels: found.filter(({ Confidence }) => Confidence >= MinConfidence), ModerationModelVersion: '7.0' };
    }),
  };
  return {
    service: jsonService({ targetPrefix: 'RekognitionService', version: '1.1', operations }),
    async close() {
      // The video that is looked at ends with the models; it is looked at again by the next process.
      await Promise.all([videos.close(), vision.close()]);
    },
  };
}

const labelAnswer = ({ name, confidence, parents, category, instances }: FoundLabel) => ({
  Name: name,
  Confidence: confidence,
  Instances: instances.map((instance) => ({ BoundingBox: boxAnswer(instance.box), Confidence: instance.confidence })),
  Parents: parents.map((parent) => ({ Name: parent })),
  Aliases: [],
  Categories: [{ Name: category }],
});

function faceAnswer({ box, score, eyeLeft, eyeRight, nose, roll }: SeenFace) {
  const landmark = (Type: string, { x, y }: { x: number; y: number }) => ({ Type, X: x, Y: y });
  return {
    BoundingBox: boxAnswer(box),
    Confidence: score * 100,
    Landmarks: [landmark('eyeLeft', eyeLeft), landmark('eyeRight', eyeRight), landmark('nose', nose)],
    Pose: { Roll: roll },
  };
}
