import { setTimeout } from 'node:timers/promises';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { type LimitedApi, type PaidApi, paidApis } from '../../shared/cost.ts';
import { messageOf, Throttled } from '../../shared/errors.ts';
import { rateItem } from '../../shared/keys.ts';
import { isThrottling } from './awsErrors.ts';
import type { Backend } from './backend.ts';
import { conditionHeld, ifConditionHolds } from './table.ts';

/** A bucket holds what comes in within this time: so many calls may be made at once after a rest. */
const burstMs = 1000;

/**
 * Takes a token out of an API's bucket, which all executions share.
 *
 * The bucket is one number, the time at which it will be full again (GCRA: https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm). So a
 * token is taken without reading first: thousands that come at once do not fail for having read the same.
 * @throws Throttled when it is empty
 */
export async function takeToken(backend: Backend, api: PaidApi): Promise<void> {
  const rate = backend.settings.callsPerSecond[api];
  if (rate === null) return;
  const interval = Math.ceil(1000 / rate);
  // Full a moment ago and not any more, when another was quicker: then the first form holds.
  const taken =
    (await takeOfFew(backend, api, interval)) || (await takeOfFull(backend, api, interval)) || (await takeOfFew(backend, api, interval));
  if (!taken) throw new Throttled(`${api} may be called ${rate} times a second, and is already. It is tried again.`);
}

const takeOfFew = (backend: Backend, api: string, interval: number) =>
  conditionHeld(
    update(backend, api, 'SET fullAt = fullAt + :interval', 'fullAt > :now AND fullAt <= :latest', {
      ':interval': interval,
      ':now': backend.clock.now(),
      ':latest': backend.clock.now() + burstMs - interval,
    }),
  );

const takeOfFull = (backend: Backend, api: string, interval: number) =>
  conditionHeld(
    update(backend, api, 'SET fullAt = :next', 'attribute_not_exists(fullAt) OR fullAt <= :now', {
      ':next': backend.clock.now() + interval,
      ':now': backend.clock.now(),
    }),
  );

/**
 * Waits for a call's turn in an API's bucket. For what would lose more than a moment by failing: an answer of many pages would have to be read from its first
 * page again.
 */
export async function awaitToken(backend: Backend, api: LimitedApi): Promise<void> {
  const rate = backend.settings.callsPerSecond[api];
  if (rate === null) return;
  const turn = await nextTurn(backend, api, Math.ceil(1000 / rate));
  await setTimeout(Math.max(0, turn - backend.clock.now()));
}

/** What the turns of executions are counted under. */
const turns = 'executions';

/**
 * Gives the next turn to an execution: no more of them start in a second than the slowest API that is used may be called. So a large
 * library waits in the queue, where waiting costs next to nothing, rather than in executions, of which each try is a paid transition.
 * @returns when its turn is, in milliseconds since 1970; now, unless others are before it
 */
export async function takeTurn(backend: Backend): Promise<number> {
  const { detectors, callsPerSecond } = backend.settings;
  const used = Object.entries(paidApis).filter(([, { detector, unit }]) => unit === 'image' && detectors[detector]);
  const rates = used.flatMap(([api]) => callsPerSecond[api as PaidApi] ?? []);
  return rates.length === 0 ? backend.clock.now() : nextTurn(backend, turns, Math.ceil(1000 / Math.min(...rates)));
}

/** Takes a token of a bucket whether it is there yet or not. @returns when it will be, in milliseconds since 1970 */
async function nextTurn(backend: Backend, bucket: string, interval: number): Promise<number> {
  const now = backend.clock.now();
  for (;;) {
    if (await takeOfFull(backend, bucket, interval)) return now;
    const taken = await ifConditionHolds(
      update(backend, bucket, 'SET fullAt = fullAt + :interval', 'fullAt > :now', { ':interval': interval, ':now': now }),
    );
    // Within the burst that the buckets allow it may start at once.
    if (taken) return Math.max(now, Number(taken.Attributes?.['fullAt']) - burstMs);
  }
}

/** @throws Throttled when the item is written to more often than DynamoDB takes: then too much is asked for at once */
async function update(
  { dynamodb, names }: Backend,
  api: string,
  change: string,
  condition: string,
  values: Readonly<Record<string, number>>,
) {
  const command = new UpdateCommand({
    TableName: names.table,
    Key: rateItem(api),
    UpdateExpression: change,
    ConditionExpression: condition,
    ExpressionAttributeValues: values,
    ReturnValues: 'ALL_NEW',
  });
  try {
    return await dynamodb.send(command);
  } catch (thrown) {
    if (isThrottling(thrown)) throw new Throttled(messageOf(thrown), { cause: thrown });
    throw thrown;
  }
}
