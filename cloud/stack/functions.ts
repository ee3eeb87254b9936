import type { steps } from '../steps/steps.ts';
import type { NativeModule } from './bundling.ts';
import type { GrantName } from './grants.ts';

/** A Lambda function of the backend: its file in cloud/functions has the same name. */
export interface FunctionSettings {
  /** In MB. A whole processor comes with 1,769 MB. */
  readonly memory: number;
  /** A call that takes longer is ended. */
  readonly seconds: number;
  /** All that it may do. */
  readonly grants: readonly GrantName[];
  /** Packages that have more than JavaScript in them: they lie beside the bundle (bundling.ts). */
  readonly native?: readonly NativeModule[];
  /** Without X-Ray: what runs each minute of the year would use up half of the traces that are free. */
  readonly untraced?: true;
}

/** The functions of pipeline.asl.json, named by its placeholders. */
export type StepName = keyof typeof steps;
export type FunctionName =
  | Uncapitalize<StepName>
  | 'commands'
  | 'dispatch'
  | 'drainOutbox'
  | 'executionEnded'
  | 'resumeWaiting'
  | 'videoLabelsDone';

export const functionOf = (step: StepName) => `${step.charAt(0).toLowerCase()}${step.slice(1)}` as Uncapitalize<StepName>;

/** For what only asks other services: with the SDK's clients a process comes to 103–137 MB, measured in test/cloud/stack/bundles.test.ts. */
const small = { memory: 256, seconds: 60 };

/**
 * For work on pictures: one whole processor, as half of one takes twice as long for the same money. Measured with test/bench/functions.ts, where a photo
 * of 100 megapixels, the largest there may be, came to 877 MB and 22 s in render (PNG of 300 MB), 630 MB and 11 s (progressive JPEG), 243 MB and 5 s in pixelate.
 */
const picture = { memory: 1769, seconds: 120, native: ['sharp'] } as const;

/**
 * For what Rekognition found in a video (same measurement): 300,000 appearances, far more than six hours of film have, came to 580 MB and 10 s. Their 300 pages take a
 * minute where five a second may be asked for. One process has 108 MB without any.
 */
const videoLabels = { memory: 1024, seconds: 300 };

/** A paid call: looked up first, counted, and its answer kept. Rekognition reads the picture as whoever asks. */
const detector: readonly GrantName[] = ['missOutput', 'readOutput', 'writeOutput', 'countUsage', 'enqueueAlerts'];

/** Publishes alerts, to none that was ended. */
const publisher: readonly GrantName[] = ['useOutbox', 'publishAlerts', 'endSubscriptions', 'unsubscribe'];

export const functions: Readonly<Record<FunctionName, FunctionSettings>> = {
  // A photo of 200 MB, the most there may be, came to 702 MB and 5 s (same measurement). A film is only read through: one of 1 GB came to 195 MB.
  admit: { memory: 1024, seconds: 900, grants: ['missInput', 'readInbox', 'changeRecords'] },
  render: { ...picture, grants: ['missInput', 'readInbox', 'writeOutput'] },
  // The largest frames came to 547 MB and 2.4 s (8K ProRes 4444), a film of 1 GB to 261 MB and 0.8 s (same measurement). What is made to be endless has three answers of a
  // minute, and came to 1,398 MB (steps/video/openVideo.ts).
  poster: { ...picture, seconds: 300, native: ['sharp', '@ffmpeg/core'], grants: ['missInput', 'readInbox', 'writeOutput'] },
  // Each may fetch all that was found in a video of six hours, the longest that Rekognition takes.
  startVideoLabels: {
    ...videoLabels,
    grants: ['startVideoLabels', 'readVideoLabels', 'passVideoRole', 'readInbox', ...detector, 'noteVideoJobs', 'answerTasks'],
  },
  videoLabelsDone: {
    ...videoLabels,
    grants: ['takeVideoAnswers', 'readVideoLabels', 'countUsage', 'writeOutput', 'noteVideoJobs', 'answerTasks'],
  },
  detectLabels: { ...small, grants: ['detectLabels', ...detector] },
  detectText: { ...small, grants: ['detectText', ...detector] },
  detectModeration: { ...small, grants: ['detectModeration', ...detector] },
  detectFaces: { ...small, grants: ['detectFaces', ...detector] },
  pixelate: { ...picture, grants: ['readOutput', 'writeOutput'] },
  categorise: { ...small, grants: ['readOutput', 'readRules'] },
  record: { ...small, grants: ['readOutput', 'changeRecords'] },
  park: { ...small, grants: ['changeRecords', 'noteWaiting', 'enqueueAlerts'] },
  keep: { ...small, grants: ['changeRecords'] },
  reject: { ...small, grants: ['changeRecords'] },
  // Up to 50 GB are copied inside S3, ten parts of 1 GB at a time.
  file: { memory: 256, seconds: 900, grants: ['missInput', 'readInbox', 'fileOriginals', 'emptyInbox', 'changeRecords'] },
  announce: { ...small, grants: ['readRecords', ...publisher] },
  // 5,000 alerts are some 450 calls, and their 10,000 writes take one partition ten seconds.
  drainOutbox: { ...small, seconds: 120, untraced: true, grants: publisher },
  resumeWaiting: { ...small, untraced: true, grants: ['takeWaiting', 'readUsage', 'sendToInbox'] },
  dispatch: {
    ...small,
    grants: ['takeFromInbox', 'countUsage', 'sendToInbox', 'startExecutions', 'lookUpExecutions', 'sendDeadLetters'],
  },
  executionEnded: { ...small, grants: ['sendToInbox', 'sendDeadLetters', 'changeRecords'] },
  commands: {
    ...small,
    grants: [
      ...(['readRecords', 'readHistories', 'lookUpExecutions', 'takeDeadLetters', 'sendToInbox', 'takeWaiting', 'readUsage'] as const),
      ...(['changeRecords', 'noteWaiting'] as const),
      ...(['missInput', 'readInbox', 'findOriginals', 'restoreOriginals'] as const),
      ...(['storeSubscriptions', 'subscribe', 'changeSubscriptions', 'unsubscribe'] as const),
    ],
  },
};
