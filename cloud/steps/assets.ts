import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { isoTime } from '../../shared/clock.ts';
import { Transient } from '../../shared/errors.ts';
import { assetItem } from '../../shared/keys.ts';
import { type AssetId, type AssetRecord, assetRecord, type LibraryId } from '../../shared/model/asset.ts';
import { parse } from '../../shared/parse.ts';
import type { Backend } from './backend.ts';
import { type Claimant, claimant, type Destination } from './state.ts';
import { conditionHeld } from './table.ts';

/**
 * The stored records of assets: who may change them and how. A change is a pure function from what is stored to what shall be; it is
 * written on condition that nobody changed the record meanwhile.
 */

/**
 * Raised when finished assets shall be analysed again, which costs as much as the first time. It was not for text and moderation labels: what was
 * analysed before keeps `null` for them.
 */
export const pipelineVersion = 1;

/** A record as it is stored, with what only the backend needs: who is at work on it, and which execution wrote its outcome. */
export const storedAsset = v.object({
  ...assetRecord.entries,
  claim: v.pick(claimant, ['execution', 'version', 'attempt']),
  recordedBy: v.nullable(v.string()),
});
export type StoredAsset = v.InferOutput<typeof storedAsset>;

/** What a change makes of the stored record; null leaves it as it is. */
export type Change = (current: StoredAsset | null) => StoredAsset | null;

export async function loadAsset({ dynamodb, names }: Backend, library: LibraryId, asset: AssetId): Promise<StoredAsset | null> {
  const { Item } = await dynamodb.send(new GetCommand({ TableName: names.table, Key: assetItem(library, asset), ConsistentRead: true }));
  return Item ? parse(storedAsset, Item, `record of ${asset}`) : null;
}

const triesAgainstOthers = 5;

/**
 * Applies a change, again on what is then stored when somebody else was faster. The revision grows with each write; a final one is
 * stamped with the time.
 * @returns the record that stands
 * @throws Transient when others were faster every time
 */
export async function changeAsset(backend: Backend, library: LibraryId, asset: AssetId, change: Change): Promise<StoredAsset | null> {
  for (let tries = 0; tries < triesAgainstOthers; tries++) {
    const current = await loadAsset(backend, library, asset);
    const changed = change(current);
    if (!changed) return current;
    const { changedAt: _, ...rest } = changed;
    const final = rest.outcome.kind !== 'pending';
    const next = { ...rest, revision: (current?.revision ?? 0) + 1, ...(final && { changedAt: isoTime(backend.clock) }) };
    if (await putIfUnchanged(backend, next, current)) return next;
  }
  throw new Transient(`The record of ${asset} is being changed by others. It is tried again later.`);
}

function putIfUnchanged({ dynamodb, names }: Backend, next: StoredAsset, current: StoredAsset | null): Promise<boolean> {
  const condition = current
    ? { ConditionExpression: 'revision = :revision', ExpressionAttributeValues: { ':revision': current.revision } }
    : { ConditionExpression: 'attribute_not_exists(pk)' };
  const Item = { ...assetItem(next.library, next.asset), ...next };
  return conditionHeld(dynamodb.send(new PutCommand({ TableName: names.table, Item, ...condition })));
}

/** Of a record that is to be looked at again: no version has. */
export const reopened = 0;

/**
 * Whether this version of the pipeline has nothing more to do. One that `failed` may be tried again, and a `rejected` one when it was sent
 * again: what arrived the first time may have been damaged on its way.
 */
export const isFinished = ({ outcome, claim, ...record }: StoredAsset, version: string) =>
  record.pipelineVersion === pipelineVersion &&
  (outcome.kind === 'analysed' || outcome.kind === 'kept' || (outcome.kind === 'rejected' && claim.version === version));

/** Where the original of a record belongs. */
export function destinationOf(record: AssetRecord | null): Destination {
  if (record?.outcome.kind === 'analysed') return record.outcome.category;
  return record?.outcome.kind === 'rejected' ? 'rejected' : 'inbox';
}

const claimOf = ({ execution, version, attempt }: Claimant) => ({ execution, version, attempt });

const pending = (who: Claimant, name: string | null): StoredAsset => ({
  library: who.library,
  asset: who.asset,
  ext: who.ext,
  name,
  revision: 0,
  pipelineVersion,
  outcome: { kind: 'pending', execution: who.execution },
  media: null,
  labels: null,
  faces: null,
  text: null,
  moderation: null,
  renditions: [],
  matches: [],
  claim: claimOf(who),
  recordedBy: null,
});

/** An execution takes an asset on; whoever had it before has lost it. What an earlier version of the pipeline found stays until then. */
export const claim =
  (who: Claimant, name: string | null): Change =>
  (current) => {
    if (current && (isFinished(current, who.version) || current.claim.execution === who.execution)) return null;
    return current?.outcome.kind === 'analysed' ? { ...current, claim: claimOf(who) } : pending(who, name);
  };

/** The execution that holds the claim writes how it ended, once. */
export const finish =
  (who: Claimant, found: Pick<AssetRecord, 'outcome'> & Partial<AssetRecord>): Change =>
  (current) => {
    if (current?.claim.execution !== who.execution || current.recordedBy === who.execution) return null;
    const { unfiled: _, ...record } = current;
    return { ...record, ...found, pipelineVersion, recordedBy: who.execution };
  };

/** Like `finish`, for an execution that found nothing: what was found before, by any version, is worth more than that. */
export const finishWithout =
  (who: Claimant, left: Pick<AssetRecord, 'outcome'> & Partial<AssetRecord>): Change =>
  (current) =>
    current?.outcome.kind === 'analysed' ? null : finish(who, left)(current);

/** Whether this execution's end, the last of its tries, was written down by `giveUp`. */
export const hasGivenUp = ({ outcome, unfiled, recordedBy }: StoredAsset, execution: string) =>
  recordedBy === execution && (outcome.kind === 'failed' || unfiled !== undefined);

/**
 * An execution, the last of its tries, ended badly. It may have failed before it claimed, hence the claim of an earlier try counts as its
 * own. An outcome that is known stays; then only the original waits in the inbox, and the record says so.
 */
export const giveUp =
  (who: Claimant, reason: string): Change =>
  (current) => {
    if (current && hasGivenUp(current, who.execution)) return null;
    if (current && (current.outcome.kind === 'analysed' || isFinished(current, who.version))) {
      return { ...current, unfiled: reason, claim: claimOf(who), recordedBy: who.execution };
    }
    const isMine = !current || (current.claim.version === who.version && current.claim.attempt <= who.attempt);
    if (!isMine) return null;
    const { name } = current ?? { name: null };
    return { ...pending(who, name), outcome: { kind: 'failed', reason }, recordedBy: who.execution };
  };

/** The original is where its record says. */
export const filed: Change = (current) => {
  if (current?.unfiled === undefined) return null;
  const { unfiled: _, ...record } = current;
  return record;
};
