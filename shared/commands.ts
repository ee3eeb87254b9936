import * as v from 'valibot';
import { historyEntry, storedOriginal, subscription, subscriptionDraft } from './contract.ts';
import { detectors } from './cost.ts';
import { originalRef } from './keys.ts';
import { assetId, libraryId } from './model/asset.ts';
import { type Method, method } from './rpc.ts';

/**
 * The library of whoever holds the AWS account's own keys, and the alias of the `commands` function by which they call it. Whoever signed in may not:
 * who they are always comes with their calls.
 */
export const owner = v.parse(libraryId, 'owner');

/** What a backend's costs depend on, and what it has spent on Rekognition this month (UTC). */
export const backendCosts = v.object({
  /** The AWS region by whose prices it is billed; null: it costs nothing. */
  region: v.nullable(v.string()),
  detectors,
  archiveAfterDays: v.nullable(v.number()),
  /** US dollars; null: there is no cap. */
  cap: v.nullable(v.number()),
  /** US dollars. */
  spent: v.number(),
  /** `2024-06` */
  month: v.string(),
});
export type BackendCosts = v.InferOutput<typeof backendCosts>;

/** The most originals that are redriven or looked at again in one call, which then takes some seconds. */
export const mostRedriven = 100;

/**
 * What a redrive came to.
 * - redriven: another attempt is asked for
 * - running: it is being looked at, or waits for budget
 * - none: it has come to an end, there is nothing to take up
 * - gone: its original is no longer in the inbox; it must be sent again
 */
export const redriven = v.object({ asset: assetId, kind: v.picklist(['redriven', 'running', 'none', 'gone']) });
export type Redriven = v.InferOutput<typeof redriven>;

/**
 * What the desktop may not do itself: the calls of the backend's one `commands` function, invoked through AWS Lambda.
 * The request is `{command, input}`; the library comes from the caller's identity, never from the request.
 */
export const commands = {
  /** The pipeline's steps of the latest execution for an asset, oldest first; empty when there was none. */
  history: method(v.object({ asset: assetId }), v.array(historyEntry)),
  /**
   * Takes up again what was sent and has come to no end: these originals, or with null whatever of the library is in the dead letters, as much as one call
   * can do. `more`: there may be others.
   */
  redrive: method(
    v.object({ originals: v.nullable(v.pipe(v.array(v.pick(originalRef, ['asset', 'ext'])), v.maxLength(mostRedriven))) }),
    v.object({ assets: v.array(redriven), more: v.boolean() }),
  ),
  /** Lets kept videos be looked at again, each as soon as there is budget for it. What is no kept video is left alone; `asked` counts the others. */
  lookAgain: method(v.object({ assets: v.pipe(v.array(assetId), v.maxLength(mostRedriven)) }), v.object({ asked: v.number() })),
  costs: method(v.object({}), backendCosts),
  /** Takes up what waits for budget, as far as there is budget for it now. `resumed` counts assets. */
  resume: method(v.object({}), v.object({ resumed: v.number() })),
  original: method(v.object({ asset: assetId }), storedOriginal),
  /** Asks the archive for an original. */
  restoreOriginal: method(v.object({ asset: assetId }), storedOriginal),
  subscriptions: method(v.object({}), v.array(subscription)),
  subscribe: method(subscriptionDraft, v.object({})),
  unsubscribe: method(v.object({ arn: v.string() }), v.object({})),
} satisfies Record<string, Method>;
export type CommandName = keyof typeof commands;

export const commandRequest = v.object({
  command: v.picklist(Object.keys(commands) as CommandName[]),
  input: v.unknown(),
});
