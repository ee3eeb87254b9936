import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { callPrice, type PaidApi, paidApis } from '../../shared/cost.ts';
import { waitingItem, waitingPartition } from '../../shared/keys.ts';
import type { AssetId, LibraryId } from '../../shared/model/asset.ts';
import { parse } from '../../shared/parse.ts';
import type { Backend } from './backend.ts';
import { firstOfNextTry } from './executions.ts';
import { requestAttempt } from './inbox.ts';
import { type ExecutionInput, executionInput } from './state.ts';
import { conditionHeld, itemsOf } from './table.ts';
import { capOf, loadUsage, monthOf } from './usage.ts';

/** Assets that wait for budget: each an item that says which attempt would take it up again, and of how many minutes a video is; a photo has none. */
const waitingAsset = v.object({ ...executionInput.entries, minutes: v.optional(v.number(), 0) });

/**
 * Notes that an asset waits. Doing so twice changes nothing, nor does a step that comes late: the note of a later attempt stays.
 * @param minutes of a video; 0: a photo
 */
export async function noteWaiting({ dynamodb, names }: Backend, waiting: ExecutionInput, minutes = 0): Promise<void> {
  const { library, asset, ext, version, attempt } = waiting;
  const next = { library, asset, ext, version, attempt: firstOfNextTry(attempt), minutes };
  const put = new PutCommand({
    TableName: names.table,
    Item: { ...waitingItem(library, asset), ...next },
    ConditionExpression: 'attribute_not_exists(attempt) OR attempt < :attempt',
    ExpressionAttributeValues: { ':attempt': next.attempt },
  });
  await conditionHeld(dynamodb.send(put));
}

/** Whether an asset is among those that wait for budget. */
export async function isNotedWaiting({ dynamodb, names }: Backend, library: LibraryId, asset: AssetId): Promise<boolean> {
  const { Item } = await dynamodb.send(new GetCommand({ TableName: names.table, Key: waitingItem(library, asset), ConsistentRead: true }));
  return Item !== undefined;
}

/**
 * So many are taken up at a time. The timer rings every minute: that is more than Rekognition's smallest quota lets through (5 a second), and few
 * enough that they have reserved their budget, or wait again, before the next are chosen.
 */
const atOnce = 300;

/**
 * Takes assets up again that wait for budget: as many as the rest of the month's budget is enough for. Those that others are quicker than
 * wait again; nobody spends more than the cap.
 * @param library only of this one; of all when absent
 * @returns how many
 */
export async function resumeWaiting(backend: Backend, library?: LibraryId): Promise<number> {
  const { photo, minute } = pricesOf(backend);
  const cap = capOf(backend);
  let left = cap === null ? Number.POSITIVE_INFINITY : cap - (await loadUsage(backend, monthOf(backend.clock))).spent;
  let resumed = 0;
  // There is always a photo to come, and looking through what waits costs something, too.
  if (left < Math.min(photo, minute)) return resumed;
  for await (const item of itemsOf(backend, waitingPartition)) {
    const { minutes, ...next } = parse(waitingAsset, item, 'waiting asset');
    const price = minutes > 0 ? minutes * minute : photo;
    // A long video may have to wait for the next month while others go on.
    if ((library !== undefined && next.library !== library) || price > left) continue;
    // Asked for before the item goes: what dies in between asks twice for the same attempt, which starts it once.
    await requestAttempt(backend, next, 0);
    await forget(backend, next);
    left -= price;
    resumed++;
    if (resumed >= atOnce) break;
  }
  return resumed;
}

/** Unless it has come to wait for a later attempt meanwhile. */
async function forget({ dynamodb, names }: Backend, { library, asset, attempt }: ExecutionInput): Promise<void> {
  const remove = new DeleteCommand({
    TableName: names.table,
    Key: waitingItem(library, asset),
    ConditionExpression: 'attempt = :attempt',
    ExpressionAttributeValues: { ':attempt': attempt },
  });
  await conditionHeld(dynamodb.send(remove));
}

/** What is paid for a photo and for a minute of video, as they are looked at now, in millionths of a US dollar. */
function pricesOf({ settings }: Backend): { photo: number; minute: number } {
  const { detectors, priceRegion } = settings;
  const apis = Object.entries(paidApis) as [PaidApi, (typeof paidApis)[PaidApi]][];
  const priceOf = (wanted: 'image' | 'videoMinute') => {
    const used = apis.filter(([, { detector, unit }]) => unit === wanted && detectors[detector]);
    return used.reduce((sum, [api]) => sum + callPrice(api, priceRegion), 0);
  };
  return { photo: priceOf('image'), minute: priceOf('videoMinute') };
}
