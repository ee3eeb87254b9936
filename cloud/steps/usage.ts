import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { type Clock, isoTime } from '../../shared/clock.ts';
import type { BackendCosts } from '../../shared/commands.ts';
import { callPrice, dollars, microDollars, type PaidApi } from '../../shared/cost.ts';
import { OverBudget } from '../../shared/errors.ts';
import { usageItem } from '../../shared/keys.ts';
import { parse } from '../../shared/parse.ts';
import type { Backend } from './backend.ts';
import { conditionHeld, ifConditionHolds } from './table.ts';

/**
 * What was spent on Rekognition, one item a month. It is added to before each call, so that whoever dies in between has counted one call
 * too many, never one too few.
 */

const usageOfMonth = v.object({
  /** Millionths of a US dollar. */
  spent: v.optional(v.number(), 0),
  /** Units by API: images, or minutes of video. */
  calls: v.optional(v.record(v.string(), v.number()), {}),
  /** The cap, in millionths of a US dollar, of which somebody was told that it is nearly reached. */
  warnedOf: v.optional(v.number()),
});
export type Usage = v.InferOutput<typeof usageOfMonth>;

/** The present month, UTC: `2024-06`. */
export const monthOf = (clock: Clock): string => isoTime(clock).slice(0, 7);

export async function loadUsage({ dynamodb, names }: Backend, month: string): Promise<Usage> {
  const { Item = {} } = await dynamodb.send(new GetCommand({ TableName: names.table, Key: usageItem(month), ConsistentRead: true }));
  return readUsage(Item);
}

/** For the desktop: what it forecasts with, and what was spent. */
export async function costsOf(backend: Backend): Promise<BackendCosts> {
  const { priceRegion: region, detectors, archiveAfterDays, capPerMonth: cap } = backend.settings;
  const month = monthOf(backend.clock);
  const { spent } = await loadUsage(backend, month);
  return { region, detectors, archiveAfterDays, cap, spent: dollars(spent), month };
}

const callsPrefix = 'calls#';

function readUsage(item: Readonly<Record<string, unknown>>): Usage {
  const counts = Object.entries(item).filter(([name]) => name.startsWith(callsPrefix));
  const calls = Object.fromEntries(counts.map(([name, count]) => [name.slice(callsPrefix.length), count]));
  return parse(usageOfMonth, { ...item, calls }, 'usage');
}

/** What was counted for a call that is about to be made. */
export interface Reservation {
  readonly month: string;
  readonly api: PaidApi;
  readonly units: number;
  /** Millionths of a US dollar. */
  readonly price: number;
}

/** The cap in millionths of a US dollar; null: there is none. */
export const capOf = ({ settings }: Pick<Backend, 'settings'>): number | null =>
  settings.capPerMonth === null ? null : microDollars(settings.capPerMonth);

/**
 * Counts a call and its price, in one write that fails when the month would then cost more than the cap.
 * @returns what was counted, and the month's usage with it
 * @throws OverBudget
 */
export async function reserve(backend: Backend, api: PaidApi, units: number): Promise<{ reserved: Reservation; usage: Usage }> {
  const { settings, clock } = backend;
  const reserved = { month: monthOf(clock), api, units, price: Math.ceil(units * callPrice(api, settings.priceRegion)) };
  const cap = capOf(backend);
  const room = cap === null || reserved.price === 0 ? null : cap - reserved.price;
  const counting = () => backend.dynamodb.send(count(backend, reserved, 1, room));
  const counted = room !== null && room < 0 ? null : await ifConditionHolds(counting());
  if (!counted) throw new OverBudget(overBudgetReason);
  return { reserved, usage: readUsage(counted.Attributes ?? {}) };
}

const overBudgetReason =
  'Stored safely. The budget of this month is used up: it is looked at when the next month begins, or when the cap is raised.';

/**
 * Takes a count back, of a call that was certainly not billed. Asked for once: where nobody knows whether that was done, a second time might take back what
 * another call has counted.
 */
export async function giveBack(backend: Backend, reserved: Reservation): Promise<void> {
  await backend.dynamodbOnce.send(count(backend, reserved, -1, null));
}

/** @param room what may have been spent before, at most; null: that does not matter */
function count({ names }: Backend, { month, api, units, price }: Reservation, sign: 1 | -1, room: number | null) {
  return new UpdateCommand({
    TableName: names.table,
    Key: usageItem(month),
    UpdateExpression: 'ADD spent :price, #calls :units',
    ExpressionAttributeNames: { '#calls': `${callsPrefix}${api}` },
    ExpressionAttributeValues: { ':price': sign * price, ':units': sign * units, ...(room !== null && { ':room': room }) },
    ...(room !== null && { ConditionExpression: 'attribute_not_exists(spent) OR spent <= :room' }),
    ReturnValues: 'ALL_NEW',
  });
}

/** Notes that somebody was told that this cap is nearly reached. @returns false when that is noted already */
export function noteWarned({ dynamodb, names }: Backend, month: string, cap: number): Promise<boolean> {
  return conditionHeld(
    dynamodb.send(
      new UpdateCommand({
        TableName: names.table,
        Key: usageItem(month),
        UpdateExpression: 'SET warnedOf = :cap',
        ConditionExpression: 'attribute_not_exists(warnedOf) OR warnedOf <> :cap',
        ExpressionAttributeValues: { ':cap': cap },
      }),
    ),
  );
}
