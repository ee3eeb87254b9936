import { PublishCommand } from '@aws-sdk/client-sns';
import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { isoTime } from '../../shared/clock.ts';
import { messageOf, Transient } from '../../shared/errors.ts';
import { outboxPartition, sentAlertItem, waitingAlertItem, waitingAlertPrefix } from '../../shared/keys.ts';
import { parse } from '../../shared/parse.ts';
import type { Backend } from './backend.ts';
import { conditionHeld, itemsOf } from './table.ts';

/**
 * Alerts on their way to SNS. One waits as an item until SNS has taken it, then an item says that it was sent. It is published at least
 * once, always under the same id; a second time only when a sender dies between publishing and noting that.
 */

const waitingAlert = v.object({
  /** Stable: `alertIdOf` in shared/keys.ts. */
  alertId: v.string(),
  library: v.string(),
  rule: v.string(),
  ruleName: v.string(),
  because: v.string(),
  /** The original's name, else the asset's id. */
  file: v.string(),
});
export type WaitingAlert = v.InferOutput<typeof waitingAlert>;

/** Two calls to AWS take far less, so that whoever holds a claim for longer has died. */
const claimSeconds = 300;

/** Puts an alert in the outbox, unless it waits there or was sent. */
export async function enqueueAlert(backend: Backend, alert: WaitingAlert): Promise<void> {
  const { dynamodb, names } = backend;
  if (await wasSent(backend, alert.alertId)) return;
  const Item = { ...waitingAlertItem(alert.alertId), ...alert, at: isoTime(backend.clock) };
  await conditionHeld(dynamodb.send(new PutCommand({ TableName: names.table, Item, ConditionExpression: 'attribute_not_exists(pk)' })));
}

/**
 * Sends the alerts that wait; several may do so at once. One that cannot be sent waits on and does not stop the others.
 * @throws Transient when SNS cannot be reached
 */
export async function drainOutbox(backend: Backend): Promise<void> {
  for await (const item of itemsOf(backend, outboxPartition, waitingAlertPrefix)) {
    try {
      await sendAlert(backend, parse(waitingAlert, item, 'waiting alert'));
    } catch (thrown) {
      if (thrown instanceof Transient) throw thrown;
      backend.warn(`An alert cannot be sent (${item['sk']}): ${messageOf(thrown)}`);
    }
  }
}

/**
 * Publishes one waiting alert, unless somebody else is at it or has done it.
 * @throws Transient when SNS cannot be reached
 */
export async function sendAlert(backend: Backend, alert: WaitingAlert): Promise<void> {
  const { dynamodb, sns, names, clock } = backend;
  const Key = waitingAlertItem(alert.alertId);
  const now = Math.floor(clock.now() / 1000);
  const claim = new UpdateCommand({
    TableName: names.table,
    Key,
    UpdateExpression: 'SET claimedUntil = :until',
    ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(claimedUntil) OR claimedUntil <= :now)',
    ExpressionAttributeValues: { ':until': now + claimSeconds, ':now': now },
  });
  if (!(await conditionHeld(dynamodb.send(claim)))) return;
  if (!(await wasSent(backend, alert.alertId))) {
    try {
      await sns.send(new PublishCommand({ TopicArn: names.topicArn, ...publication(alert) }));
    } catch (thrown) {
      const release = { TableName: names.table, Key, UpdateExpression: 'REMOVE claimedUntil', ConditionExpression: 'attribute_exists(pk)' };
      await conditionHeld(dynamodb.send(new UpdateCommand(release)));
      throw thrown;
    }
    await dynamodb.send(new PutCommand({ TableName: names.table, Item: { ...sentAlertItem(alert.alertId), at: isoTime(clock) } }));
  }
  await dynamodb.send(new DeleteCommand({ TableName: names.table, Key }));
}

/** What subscribers read, and the attributes their filters can use. */
function publication({ alertId, library, rule, ruleName, because, file }: WaitingAlert) {
  const attribute = (StringValue: string) => ({ DataType: 'String', StringValue });
  return {
    // SNS takes up to 100 printable ASCII characters here, and no line break.
    Subject: `Pixwatch: ${ruleName}`.replace(/[^ -~]+/g, '?').slice(0, 100),
    Message: `${ruleName}\n\nFound: ${because}\nFile: ${file}\n\nAlert ${alertId}\n`,
    MessageAttributes: { library: attribute(library), rule: attribute(rule), alertId: attribute(alertId) },
  };
}

async function wasSent({ dynamodb, names }: Backend, alertId: string): Promise<boolean> {
  const { Item } = await dynamodb.send(new GetCommand({ TableName: names.table, Key: sentAlertItem(alertId), ConsistentRead: true }));
  return Item !== undefined;
}
