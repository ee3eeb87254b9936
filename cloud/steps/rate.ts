import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { PaidApi } from '../../shared/cost.ts';
import { Throttled } from '../../shared/errors.ts';
import { rateItem } from '../../shared/keys.ts';
import type { Backend } from './backend.ts';
import { conditionHeld } from './table.ts';

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

const takeOfFew = (backend: Backend, api: PaidApi, interval: number) =>
  update(backend, api, 'SET fullAt = fullAt + :interval', 'fullAt > :now AND fullAt <= :latest', {
    ':interval': interval,
    ':now': backend.clock.now(),
    ':latest': backend.clock.now() + burstMs - interval,
  });

const takeOfFull = (backend: Backend, api: PaidApi, interval: number) =>
  update(backend, api, 'SET fullAt = :next', 'attribute_not_exists(fullAt) OR fullAt <= :now', {
    ':next': backend.clock.now() + interval,
    ':now': backend.clock.now(),
  });

function update({ dynamodb, names }: Backend, api: PaidApi, change: string, condition: string, values: Readonly<Record<string, number>>) {
  return conditionHeld(
    dynamodb.send(
      new UpdateCommand({
        TableName: names.table,
        Key: rateItem(api),
        UpdateExpression: change,
        ConditionExpression: condition,
        ExpressionAttributeValues: values,
      }),
    ),
  );
}
