import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { jsonService, operation } from './gateway/jsonService.ts';
import { type Service, ServiceError, type SignedRequest } from './gateway/service.ts';
import { account, queueArn } from './names.ts';
import type { Message, Queues } from './queues.ts';

/** SQS's own limit, in bytes. */
const maxBody = 1_048_576;
const seconds = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));
const attribute = v.object({ DataType: v.string(), StringValue: v.string() });
const queueUrl = v.object({ QueueUrl: v.string() });
const attributeNames = v.optional(v.array(v.string()), []);
const receipt = v.object({ ...queueUrl.entries, ReceiptHandle: v.string() });
const receiptEntry = { Id: v.string(), ReceiptHandle: v.string() };
/** What SQS takes of a batch: at most ten. */
const batchOf = <E extends v.ObjectEntries>(entry: E) => v.pipe(v.array(v.object(entry)), v.minLength(1), v.maxLength(10));

/**
 * The SQS service over `queues`: the calls that Pixwatch and its operators use, string message attributes only. A queue's URL is
 * understood by its last segment alone, as the gateway's port may change.
 */
export function createSqs(queues: Queues): Service {
  const named = (name: string): string => {
    if (queues.settings.has(name)) return name;
    throw new ServiceError('QueueDoesNotExist', `The queue ${name} does not exist.`);
  };
  const queueOf = (input: { QueueUrl: string }) => named(input.QueueUrl.split('/').at(-1) ?? '');

  return jsonService({
    targetPrefix: 'AmazonSQS',
    version: '1.0',
    operations: {
      GetQueueUrl: operation(v.object({ QueueName: v.string() }), async ({ QueueName }, { headers }) => ({
        QueueUrl: `http://${headers.host}/${account}/${named(QueueName)}`,
      })),

      SendMessage: operation(
        v.object({
          ...queueUrl.entries,
          MessageBody: v.pipe(v.string(), v.minLength(1), v.maxBytes(maxBody)),
          MessageAttributes: v.optional(v.record(v.string(), attribute), {}),
          DelaySeconds: v.optional(seconds(900), 0),
        }),
        async (input) => ({
          MessageId: queues.send(queueOf(input), input.MessageBody, input.MessageAttributes, input.DelaySeconds * 1000),
          MD5OfMessageBody: md5(input.MessageBody),
        }),
      ),

      ReceiveMessage: operation(
        v.object({
          ...queueUrl.entries,
          MaxNumberOfMessages: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10)), 1),
          WaitTimeSeconds: v.optional(seconds(20), 0),
          VisibilityTimeout: v.optional(seconds(43_200)),
          AttributeNames: attributeNames,
          MessageSystemAttributeNames: attributeNames,
          MessageAttributeNames: attributeNames,
        }),
        async (input, request) => {
          const queue = queueOf(input);
          const messages = await whileConnected(request, (signal) =>
            queues.receive(queue, {
              max: input.MaxNumberOfMessages,
              wait: input.WaitTimeSeconds * 1000,
              ...(input.VisibilityTimeout === undefined ? {} : { visibility: input.VisibilityTimeout * 1000 }),
              signal,
            }),
          );
          const system = [...input.AttributeNames, ...input.MessageSystemAttributeNames];
          return { Messages: messages.map((message) => describeMessage(message, system, input.MessageAttributeNames)) };
        },
      ),

      DeleteMessage: operation(receipt, async (input) => {
        queues.delete(queueOf(input), input.ReceiptHandle);
        return {};
      }),

      ChangeMessageVisibility: operation(v.object({ ...receipt.entries, VisibilityTimeout: seconds(43_200) }), async (input) => {
        if (queues.changeVisibility(queueOf(input), input.ReceiptHandle, input.VisibilityTimeout * 1000)) return {};
        throw new ServiceError('MessageNotInflight', 'The message was deleted, or is visible again.');
      }),

      DeleteMessageBatch: operation(v.object({ ...queueUrl.entries, Entries: batchOf(receiptEntry) }), async (input) => {
        const queue = queueOf(input);
        for (const { ReceiptHandle } of input.Entries) queues.delete(queue, ReceiptHandle);
        return { Successful: input.Entries.map(({ Id }) => ({ Id })), Failed: [] };
      }),

      ChangeMessageVisibilityBatch: operation(
        v.object({ ...queueUrl.entries, Entries: batchOf({ ...receiptEntry, VisibilityTimeout: seconds(43_200) }) }),
        async (input) => {
          const queue = queueOf(input);
          const [Successful, Failed]: [object[], object[]] = [[], []];
          for (const { Id, ReceiptHandle, VisibilityTimeout } of input.Entries) {
            if (queues.changeVisibility(queue, ReceiptHandle, VisibilityTimeout * 1000)) Successful.push({ Id });
            else Failed.push({ Id, SenderFault: true, Code: 'MessageNotInflight' });
          }
          return { Successful, Failed };
        },
      ),

      GetQueueAttributes: operation(v.object({ ...queueUrl.entries, AttributeNames: attributeNames }), async (input) => {
        const queue = queueOf(input);
        return { Attributes: pick(describeQueue(queues, queue), input.AttributeNames) };
      }),
    },
  });
}

function describeMessage(message: Message, system: readonly string[], custom: readonly string[]) {
  return {
    MessageId: message.id,
    ReceiptHandle: message.receipt,
    MD5OfBody: md5(message.body),
    Body: message.body,
    Attributes: pick(systemAttributes(message), system),
    MessageAttributes: pick(message.attributes, custom),
  };
}

/** The attributes that SQS itself gives a received message. */
export function systemAttributes(message: Message): Record<string, string> {
  return {
    ApproximateReceiveCount: String(message.receiveCount),
    SentTimestamp: String(message.sentAt),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
    ...(message.source === null ? {} : { DeadLetterQueueSourceArn: queueArn(message.source) }),
  };
}

function describeQueue(queues: Queues, queue: string): Record<string, string> {
  const { waiting, delayed, inFlight } = queues.count(queue);
  const { visibilityTimeout = 0, deadLetters } = queues.settings.get(queue) ?? {};
  return {
    QueueArn: queueArn(queue),
    ApproximateNumberOfMessages: String(waiting),
    ApproximateNumberOfMessagesDelayed: String(delayed),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    VisibilityTimeout: String(visibilityTimeout / 1000),
    ...(deadLetters && {
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArn(deadLetters.queue), maxReceiveCount: deadLetters.maxReceiveCount }),
    }),
  };
}

/** The wanted attributes by name; all of them for `All` and SQS's other wildcards. */
function pick<T>(attributes: Readonly<Record<string, T>>, wanted: readonly string[]): Record<string, T> {
  const all = wanted.some((name) => name === 'All' || name === '.*');
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => all || wanted.includes(name)));
}

/** Runs `work` with a signal that is aborted when the client goes away, so that no message is handed to nobody. */
async function whileConnected<T>({ message }: SignedRequest, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const gone = new AbortController();
  const abort = () => gone.abort();
  message.socket.once('close', abort);
  try {
    return await work(gone.signal);
  } finally {
    message.socket.off('close', abort);
  }
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
