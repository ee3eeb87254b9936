import { PublishCommand } from '@aws-sdk/client-sns';
import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { isoTime } from '../../shared/clock.ts';
import { messageOf, Transient } from '../../shared/errors.ts';
import { type ItemKey, outboxPartition, ruleTurnItem, sentAlertItem, waitingAlertItem, waitingAlertPrefix } from '../../shared/keys.ts';
import { alertMessage, everyLibrary } from './alertMessage.ts';
import type { Backend } from './backend.ts';
import { endConfirmed } from './subscriptions.ts';
import { conditionHeld, itemsOf, readAll, writeAll } from './table.ts';

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

/** The calls of one message take far less, so that whoever has had a turn for longer has died. */
const longestTurnSeconds = 300;
/** Alerts that one run of `drainOutbox` takes up, to bound its memory and time (some 450 calls); the next run takes the rest. */
const mostAtOnce = 5_000;

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
 * Publishes waiting alerts of one rule as one message, those that were not sent. When it is not the rule's turn, or somebody else is at it, they wait.
 * @throws Transient when SNS cannot be reached
 */
export async function sendAlerts(backend: Backend, alerts: readonly WaitingAlert[]): Promise<void> {
  const [first] = alerts;
  if (!first || !(await isTurn(backend, first))) return;
  const until = seconds(backend) + longestTurnSeconds;
  if (!(await takeTurn(backend, first, until))) return;
  const published = await publishOrEndTurn(backend, alerts);
  const at = isoTime(backend.clock);
  // First of all that it was sent: whoever dies in between does not send it again.
  await writeAll(
    backend,
    published.map(({ alertId }) => ({ PutRequest: { Item: { ...sentAlertItem(alertId), at } } })),
  );
  await writeAll(
    backend,
    alerts.map(({ alertId }) => ({ DeleteRequest: { Key: waitingAlertItem(alertId) } })),
  );
  if (published.length > 0) await releaseTurn(backend, first, until);
}

/** @returns those that were not sent before; when there were none, or it fails, the turn is for others to take */
async function publishOrEndTurn(backend: Backend, alerts: readonly WaitingAlert[]): Promise<WaitingAlert[]> {
  let published: WaitingAlert[] = [];
  try {
    published = await publishUnsent(backend, alerts);
    return published;
  } finally {
    if (published.length === 0 && alerts[0]) await remove(backend, turnOf(alerts[0]));
  }
}

async function publishUnsent(backend: Backend, alerts: readonly WaitingAlert[]): Promise<WaitingAlert[]> {
  const sent = await readAll(
    backend,
    alerts.map(({ alertId }) => sentAlertItem(alertId)),
  );
  const known = new Set(sent.map(({ sk }) => sk));
  const [first, ...more] = alerts.filter(({ alertId }) => !known.has(sentAlertItem(alertId).sk));
  if (!first) return [];
  await endConfirmed(backend);
  const message = alertMessage([first, ...more]);
  for (const TopicArn of topicsOf(backend, first)) await backend.sns.send(new PublishCommand({ TopicArn, ...message }));
  return [first, ...more];
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
  return !Item || (Number(Item['nextAt']) <= seconds(backend) && Number(Item['takenUntil'] ?? 0) <= seconds(backend));
}

/** @returns false when somebody else took it */
function takeTurn(backend: Backend, alert: WaitingAlert, takenUntil: number): Promise<boolean> {
  const now = seconds(backend);
  const Item = { ...turnOf(alert), nextAt: now + backend.settings.secondsBetweenMessages, takenUntil };
  const ConditionExpression = 'attribute_not_exists(pk) OR (nextAt <= :now AND (attribute_not_exists(takenUntil) OR takenUntil <= :now))';
  const put = { TableName: backend.names.table, Item, ConditionExpression, ExpressionAttributeValues: { ':now': now } };
  return conditionHeld(backend.dynamodb.send(new PutCommand(put)));
}

/** Lets others take the next turn when it is time, unless one has taken it for the dead's. */
async function releaseTurn({ dynamodb, names }: Backend, alert: WaitingAlert, takenUntil: number): Promise<void> {
  const update = {
    UpdateExpression: 'REMOVE takenUntil',
    ConditionExpression: 'takenUntil = :own',
    ExpressionAttributeValues: { ':own': takenUntil },
  };
  await conditionHeld(dynamodb.send(new UpdateCommand({ TableName: names.table, Key: turnOf(alert), ...update })));
}

async function remove({ dynamodb, names }: Backend, Key: ItemKey): Promise<void> {
  await dynamodb.send(new DeleteCommand({ TableName: names.table, Key }));
}

async function hasItem({ dynamodb, names }: Backend, Key: ItemKey): Promise<boolean> {
  const { Item } = await dynamodb.send(new GetCommand({ TableName: names.table, Key, ConsistentRead: true }));
  return Item !== undefined;
}
