import { PublishCommand } from '@aws-sdk/client-sns';
import { DeleteCommand, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { isoTime } from '../../shared/clock.ts';
import { outboxPartition, sentAlertItem, waitingAlertItem, waitingAlertPrefix } from '../../shared/keys.ts';
import { parse } from '../../shared/parse.ts';
import type { Backend } from './backend.ts';

/**
 * Alerts on their way to SNS. One waits as an item until SNS has taken it, then an item says that it was sent. It is published at least
 * once, always under the same id; a second time only when a sender dies between publishing and noting that.
 */

export const waitingAlert = v.object({
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
  await unlessConditionFails(
    dynamodb.send(new PutCommand({ TableName: names.table, Item, ConditionExpression: 'attribute_not_exists(pk)' })),
  );
}

/**
 * Sends the alerts that wait; several may do so at once.
 * @throws Transient when SNS cannot be reached; what was not sent waits on
 */
export async function drainOutbox(backend: Backend): Promise<void> {
  let from: Record<string, unknown> | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await backend.dynamodb.send(
      new QueryCommand({
        TableName: backend.names.table,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :waiting)',
        ExpressionAttributeValues: { ':pk': outboxPartition, ':waiting': waitingAlertPrefix },
        ExclusiveStartKey: from,
      }),
    );
    for (const item of Items) await sendAlert(backend, parse(waitingAlert, item, 'waiting alert'));
    from = LastEvaluatedKey;
  } while (from);
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
  if (!(await unlessConditionFails(dynamodb.send(claim)))) return;
  if (!(await wasSent(backend, alert.alertId))) {
    try {
      await sns.send(new PublishCommand({ TopicArn: names.topicArn, ...messageOf(alert) }));
    } catch (thrown) {
      const release = { TableName: names.table, Key, UpdateExpression: 'REMOVE claimedUntil', ConditionExpression: 'attribute_exists(pk)' };
      await unlessConditionFails(dynamodb.send(new UpdateCommand(release)));
      throw thrown;
    }
    await dynamodb.send(new PutCommand({ TableName: names.table, Item: { ...sentAlertItem(alert.alertId), at: isoTime(clock) } }));
  }
  await dynamodb.send(new DeleteCommand({ TableName: names.table, Key }));
}

/** What subscribers read, and the attributes their filters can use. */
function messageOf({ alertId, library, rule, ruleName, because, file }: WaitingAlert) {
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

/** @returns false when the write's condition did not hold */
async function unlessConditionFails(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'ConditionalCheckFailedException') return false;
    throw thrown;
  }
}
