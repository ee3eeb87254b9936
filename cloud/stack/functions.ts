import type { steps } from '../steps/steps.ts';
import type { GrantName } from './grants.ts';

/** A Lambda function of the backend: its file in cloud/functions has the same name. */
export interface FunctionSettings {
  /** In MB. A whole processor comes with 1,769 MB. */
  readonly memory: number;
  /** A call that takes longer is ended. */
  readonly seconds: number;
  /** All that it may do. */
  readonly grants: readonly GrantName[];
  /** It uses a native module (bundling.ts). */
  readonly native?: true;
  /** Without X-Ray: what runs each minute of the year would use up half of the traces that are free. */
  readonly untraced?: true;
}

/** The functions of pipeline.asl.json, named by its placeholders. */
export type StepName = keyof typeof steps;
export type FunctionName = Uncapitalize<StepName> | 'commands' | 'dispatch' | 'drainOutbox' | 'executionEnded' | 'resumeWaiting';

export const functionOf = (step: StepName) => `${step.charAt(0).toLowerCase()}${step.slice(1)}` as Uncapitalize<StepName>;

/** What only asks other services: the SDK's clients need some 110 MB, and more memory makes the start faster. */
const small = { memory: 256, seconds: 60 };

/** A paid call: looked up first, counted, and its answer kept. Rekognition reads the picture as whoever asks. */
const detector: readonly GrantName[] = ['missOutput', 'readOutput', 'writeOutput', 'countUsage', 'enqueueAlerts'];

export const functions: Readonly<Record<FunctionName, FunctionSettings>> = {
  admit: { memory: 1024, seconds: 300, grants: ['missInput', 'readInbox', 'changeRecords'] },
  render: { memory: 1769, seconds: 120, native: true, grants: ['missInput', 'readInbox', 'writeOutput'] },
  detectLabels: { ...small, grants: ['detectLabels', ...detector] },
  detectFaces: { ...small, grants: ['detectFaces', ...detector] },
  pixelate: { memory: 1769, seconds: 120, native: true, grants: ['readOutput', 'writeOutput'] },
  categorise: { ...small, grants: ['readOutput', 'readRules'] },
  record: { ...small, grants: ['readOutput', 'changeRecords'] },
  park: { ...small, grants: ['changeRecords', 'noteWaiting', 'enqueueAlerts'] },
  keep: { ...small, grants: ['changeRecords'] },
  reject: { ...small, grants: ['changeRecords'] },
  // Up to 5 TB are copied inside S3, in parts of 1 GB.
  file: { memory: 256, seconds: 900, grants: ['missInput', 'readInbox', 'fileOriginals', 'emptyInbox', 'changeRecords'] },
  announce: { ...small, grants: ['readRecords', 'useOutbox', 'publishAlerts'] },
  drainOutbox: { ...small, untraced: true, grants: ['useOutbox', 'publishAlerts'] },
  resumeWaiting: { ...small, untraced: true, grants: ['takeWaiting', 'readUsage', 'sendToInbox'] },
  dispatch: { memory: 256, seconds: 30, grants: ['takeFromInbox', 'startExecutions', 'lookUpExecutions', 'sendDeadLetters'] },
  executionEnded: { ...small, grants: ['sendToInbox', 'sendDeadLetters', 'changeRecords'] },
  commands: {
    ...small,
    grants: [
      ...(['readRecords', 'readHistories', 'takeDeadLetters', 'sendToInbox', 'takeWaiting', 'readUsage'] as const),
      ...(['missInput', 'readInbox', 'findOriginals', 'restoreOriginals'] as const),
      ...(['storeSubscriptions', 'subscribe', 'endSubscriptions'] as const),
    ],
  },
};
