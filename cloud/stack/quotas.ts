import * as v from 'valibot';
import { type CallsPerSecond, type LimitedApi, mostCallsPerSecond, paidApis } from '../../shared/cost.ts';
import type { PipelineSettings } from '../steps/backend.ts';
import type { Settings } from './settings.ts';

/** How much of AWS an account may use at once, which decides how fast a backend works where the settings say nothing else. */

const limit = v.pipe(v.number(), v.minValue(0));
export const quotas = v.object({
  /** By API of Rekognition. */
  callsPerSecond: v.object({
    DetectLabels: limit,
    DetectText: limit,
    DetectFaces: limit,
    DetectModerationLabels: limit,
    StartLabelDetection: limit,
    GetLabelDetection: limit,
  } satisfies Record<LimitedApi, unknown>),
  /** Of Lambda, at a time. */
  functions: limit,
});
export type Quotas = v.InferOutput<typeof quotas>;

/** The name by which the commands give an account's own quotas to the CDK's app, as JSON. */
export const quotasContext = 'quotas';

/**
 * What AWS gives an account that has asked for nothing else, as read on 2026-11-27 from https://docs.aws.amazon.com/general/latest/gr/rekognition.html (Service
 * quotas) and https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html. New accounts have fewer functions.
 */
export function defaultQuotas(region: string): Quotas {
  const isLarge = ['us-east-1', 'us-west-2', 'eu-west-1'].includes(region);
  const image = isLarge ? 50 : 5;
  return {
    callsPerSecond: {
      DetectLabels: image,
      DetectText: image,
      DetectModerationLabels: image,
      DetectFaces: isLarge ? 100 : 25,
      StartLabelDetection: 5,
      GetLabelDetection: isLarge ? 20 : 5,
    },
    functions: 1000,
  };
}

/** Of Lambda a photo takes so many seconds, all its steps together: docs/deploy.md. */
export const secondsPerPhoto = 7;

/** The settings as a deployment has them. */
export type Deployed = Settings & Pick<PipelineSettings, 'callsPerSecond'>;

/**
 * Sets how often each API is called where the settings do not: as often as the account may, and pictures no more often than its functions can take photos. Whatever
 * comes faster waits in the queue, which costs next to nothing; in front of a function that is not free it would be tried again and again.
 */
export function withQuotas(settings: Settings, quotas: Quotas): Deployed {
  const photos = quotas.functions / secondsPerPhoto;
  const rates = Object.entries(quotas.callsPerSecond).map(([api, calls]) => {
    const isOfVideos = !(api in paidApis) || paidApis[api as keyof typeof paidApis].unit === 'videoMinute';
    const rate = Math.min(mostCallsPerSecond, calls, isOfVideos ? calls : photos);
    return [api, Math.max(0.01, Math.round(rate * 100) / 100)];
  });
  const chosen = Object.entries(settings.callsPerSecond).filter(([, rate]) => rate !== undefined);
  const callsPerSecond: CallsPerSecond = Object.fromEntries([...rates, ...chosen]);
  return { ...settings, callsPerSecond };
}
