import * as v from 'valibot';
import { historyEntry, storedOriginal, subscription, subscriptionDraft } from './contract.ts';
import { detectors } from './cost.ts';
import { assetId } from './model/asset.ts';
import { type Method, method } from './rpc.ts';

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

/**
 * What the desktop may not do itself: the calls of the backend's one `commands` function, invoked through AWS Lambda.
 * The request is `{command, input}`; the library comes from the caller's identity, never from the request.
 */
export const commands = {
  /** The pipeline's steps of the latest execution for an asset, oldest first; empty when there was none. */
  history: method(v.object({ asset: assetId }), v.array(historyEntry)),
  /**
   * Takes an asset's dead letter up again.
   * - redriven: it is being analysed
   * - none: there was nothing to take up
   * - gone: its original is no longer in the inbox; it must be sent again
   */
  redrive: method(v.object({ asset: assetId }), v.object({ kind: v.picklist(['redriven', 'none', 'gone']) })),
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
