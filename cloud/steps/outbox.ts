import { PublishCommand } from '@aws-sdk/client-sns';
import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { isoTime } from '../../shared/clock.ts';
import { messageOf, Transient } from '../../shared/errors.ts';
import { type ItemKey, outboxPartition, ruleTurnItem, sentAlertItem, waitingAlertItem, waitingAlertPrefix } from '../../shared/keys.ts';
import { alertMessage, everyLibrary } from './alertMessage.ts';
import type { Backend } from './backend.ts';
import { endConfirmed } from './subscriptions.ts';
import { conditionHeld, itemsOf } from './table.ts';

/**
 * Alerts on their way to SNS. One waits as an item until SNS has taken it, then an item says that it was sent. It is published at least
 * once, always under the same id; a second time only when a sender dies between publishing and noting that.
 *
 * A rule's first alert is published at once. Then the rule has to wait for its turn (`secondsBetweenMessages`): what it finds meanwhile waits
 * and is published as one message, the digest.
 */

const waitingAlert = v.object({
  /** Stable: `alertIdOf` in shared/keys.ts. */
  alertId: v.string(),
  library: v.string(),
  rule: v.string(),
  ruleName: v.string(),
  because: v.string(),
  /** The original's name, else the asset's id; null: this is about no file. */
  file: v.nullable(v.string()),
});
export type WaitingAlert = v.InferOutput<typeof waitingAlert>;

/** The calls of one message to AWS take far less, so that whoever holds a claim for longer has died. */
const claimSeconds = 300;
/** Alerts that one run of `drainOutbox` takes up, to bound its memory and time; the next run takes the rest. */
const mostAtOnce = 5_000;
/** Items written at a time. */
const writesAtOnce = 25;

/** Puts an alert in the outbox, unless it waits there or was sent. */
export async function enqueueAlert(backend: Backend, alert: WaitingAlert): Promise<void> {
  const { dynamodb, names } = backend;
  if (await hasItem(backend, sentAlertItem(alert.alertId))) return;
  const Item = { ...waitingAlertItem(alert.alertId), ...alert, at: isoTime(backend.clock) };
  await conditionHeld(dynamodb.send(new PutCommand({ TableName: names.table, Item, ConditionExpression: 'attribute_not_exists(pk)' })));
}

/**
 * Sends the alerts that wait, those of a rule in one message when it is the rule's turn; several may do so at once. What cannot be sent waits
 * on and does not stop the others.
 * @throws Transient when SNS cannot be reached
 */
export async function drainOutbox(backend: Backend): Promise<void> {
  for (const alerts of await waitingByRule(backend)) {
    try {
      await sendAlerts(backend, alerts);
    } catch (thrown) {
      if (thrown instanceof Transient) throw thrown;
      backend.warn(`Alerts cannot be sent (${alerts[0]?.ruleName}): ${messageOf(thrown)}`);
    }
  }
}

/** Alerts that wait, those of a rule together. */
async function waitingByRule(backend: Backend): Promise<WaitingAlert[][]> {
  const byRule = new Map<string, WaitingAlert[]>();
  let count = 0;
  for await (const item of itemsOf(backend, outboxPartition, waitingAlertPrefix)) {
    const { success, output: alert } = v.safeParse(waitingAlert, item);
    if (!success) {
      backend.warn(`An item of the outbox is no alert and stays there: ${item['sk']}`);
      continue;
    }
    const rule = `${alert.library}/${alert.rule}`;
    const alerts = byRule.get(rule) ?? [];
    alerts.push(alert);
    byRule.set(rule, alerts);
    if (++count === mostAtOnce) break;
  }
  return [...byRule.values()];
}

/**
 * Publishes waiting alerts of one rule as one message: those that nobody else is at and that were not sent. It waits when it is not the
 * rule's turn.
 * @throws Transient when SNS cannot be reached
 */
export async function sendAlerts(backend: Backend, alerts: readonly WaitingAlert[]): Promise<void> {
  const [first] = alerts;
  if (!first || !(await isTurn(backend, first))) return;
  const claimed = await filter(alerts, (alert) => claim(backend, alert));
  const unsent = await filter(claimed, async ({ alertId }) => !(await hasItem(backend, sentAlertItem(alertId))));
  if (!(await publish(backend, unsent))) return each(claimed, (alert) => release(backend, alert));
  await each(unsent, (alert) => noteSent(backend, alert));
  await each(claimed, ({ alertId }) => remove(backend, waitingAlertItem(alertId)));
}

/** @returns false when it is not the rule's turn */
async function publish(backend: Backend, [first, ...more]: readonly WaitingAlert[]): Promise<boolean> {
  if (!first) return true;
  if (!(await takeTurn(backend, first))) return false;
  try {
    await endConfirmed(backend);
    const message = alertMessage([first, ...more]);
    for (const TopicArn of topicsOf(backend, first)) await backend.sns.send(new PublishCommand({ TopicArn, ...message }));
    return true;
  } catch (thrown) {
    await remove(backend, turnOf(first));
    await each([first, ...more], (alert) => release(backend, alert));
    throw thrown;
  }
}

/** What everybody should know is for who gets alarms, too: that need not be anybody's subscriber. */
const topicsOf = ({ names }: Backend, { library }: WaitingAlert) =>
  library === everyLibrary ? [names.topicArn, names.alarmsTopicArn] : [names.topicArn];

const turnOf = ({ library, rule }: WaitingAlert) => ruleTurnItem(library, rule);
const seconds = ({ clock }: Backend) => Math.floor(clock.now() / 1000);

/** A look before anything is written: in a burst it is mostly not. */
async function isTurn(backend: Backend, alert: WaitingAlert): Promise<boolean> {
  const { Item } = await backend.dynamodb.send(
    new GetCommand({ TableName: backend.names.table, Key: turnOf(alert), ConsistentRead: true }),
  );
  return !Item || Number(Item['nextAt']) <= seconds(backend);
}

/** @returns false when somebody else took it */
function takeTurn(backend: Backend, alert: WaitingAlert): Promise<boolean> {
  const now = seconds(backend);
  const Item = { ...turnOf(alert), nextAt: now + backend.settings.secondsBetweenMessages };
  const condition = { ConditionExpression: 'attribute_not_exists(pk) OR nextAt <= :now', ExpressionAttributeValues: { ':now': now } };
  return conditionHeld(backend.dynamodb.send(new PutCommand({ TableName: backend.names.table, Item, ...condition })));
}

/** @returns false when somebody else is at it or has sent it */
function claim(backend: Backend, { alertId }: WaitingAlert): Promise<boolean> {
  const now = seconds(backend);
  const update = new UpdateCommand({
    TableName: backend.names.table,
    Key: waitingAlertItem(alertId),
    UpdateExpression: 'SET claimedUntil = :until',
    ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(claimedUntil) OR claimedUntil <= :now)',
    ExpressionAttributeValues: { ':until': now + claimSeconds, ':now': now },
  });
  return conditionHeld(backend.dynamodb.send(update));
}

async function release({ dynamodb, names }: Backend, { alertId }: WaitingAlert): Promise<void> {
  const update = { UpdateExpression: 'REMOVE claimedUntil', ConditionExpression: 'attribute_exists(pk)' };
  await conditionHeld(dynamodb.send(new UpdateCommand({ TableName: names.table, Key: waitingAlertItem(alertId), ...update })));
}

async function noteSent({ dynamodb, names, clock }: Backend, { alertId }: WaitingAlert): Promise<void> {
  await dynamodb.send(new PutCommand({ TableName: names.table, Item: { ...sentAlertItem(alertId), at: isoTime(clock) } }));
}

async function remove({ dynamodb, names }: Backend, Key: ItemKey): Promise<void> {
  await dynamodb.send(new DeleteCommand({ TableName: names.table, Key }));
}

async function hasItem({ dynamodb, names }: Backend, Key: ItemKey): Promise<boolean> {
  const { Item } = await dynamodb.send(new GetCommand({ TableName: names.table, Key, ConsistentRead: true }));
  return Item !== undefined;
}

async function each<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  await filter(items, async (item) => {
    await work(item);
    return true;
  });
}

/** The items for which `keep` answers true, a few asked at a time. */
async function filter<T>(items: readonly T[], keep: (item: T) => Promise<boolean>): Promise<T[]> {
  const kept: T[] = [];
  for (let at = 0; at < items.length; at += writesAtOnce) {
    const some = items.slice(at, at + writesAtOnce);
    const answers = await Promise.all(some.map(keep));
    kept.push(...some.filter((_, i) => answers[i]));
  }
  return kept;
}
