import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
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

/** Assets that wait for budget: each an item that says which attempt would take it up again. */

/** Notes that an asset waits. Doing so twice changes nothing, nor does a step that comes late: the note of a later attempt stays. */
export async function noteWaiting({ dynamodb, names }: Backend, { library, asset, ext, version, attempt }: ExecutionInput): Promise<void> {
  const next: ExecutionInput = { library, asset, ext, version, attempt: firstOfNextTry(attempt) };
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
  const most = Math.min(atOnce, await affordable(backend));
  let resumed = 0;
  if (most < 1) return resumed;
  for await (const item of itemsOf(backend, waitingPartition)) {
    const next = parse(executionInput, item, 'waiting asset');
    if (library !== undefined && next.library !== library) continue;
    // Asked for before the item goes: what dies in between asks twice for the same attempt, which starts it once.
    await requestAttempt(backend, next, 0);
    await forget(backend, next);
    resumed++;
    if (resumed >= most) break;
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

/** How many photos the rest of the month's budget is enough for. */
async function affordable(backend: Backend): Promise<number> {
  const { detectors, priceRegion } = backend.settings;
  const apis = Object.entries(paidApis) as [PaidApi, (typeof paidApis)[PaidApi]][];
  const used = apis.filter(([, { detector, unit }]) => unit === 'image' && detectors[detector]);
  const price = used.reduce((sum, [api]) => sum + callPrice(api, priceRegion), 0);
  const cap = capOf(backend);
  if (cap === null || price === 0) return Number.POSITIVE_INFINITY;
  const { spent } = await loadUsage(backend, monthOf(backend.clock));
  return Math.floor((cap - spent) / price);
}
