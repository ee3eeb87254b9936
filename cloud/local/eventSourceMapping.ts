import { createHash } from 'node:crypto';
import { messageOf } from '../../shared/errors.ts';
import { queueArn, region } from './names.ts';
import type { Message, Queues } from './queues.ts';
import { type Repeated, repeat } from './repeat.ts';
import { systemAttributes } from './sqs.ts';

/** One message as Lambda's event source mapping for SQS hands it to a function. */
export interface SqsRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly messageAttributes: Readonly<Record<string, never>>;
  readonly md5OfBody: string;
  readonly eventSource: 'aws:sqs';
  readonly eventSourceARN: string;
  readonly awsRegion: string;
}

/** What a function answers that reports which records of its batch failed. */
export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

export interface EventSourceMappingOptions {
  readonly queues: Queues;
  readonly queue: string;
  readonly invoke: (event: { Records: SqsRecord[] }) => Promise<BatchResponse>;
  /** Gets one line for each batch that failed. */
  log(line: string): void;
}

const batchSize = 10;
const pollMs = 20_000;
const firstBackoffMs = 1_000;
const longestBackoffMs = 60_000;

/**
 * Does what AWS's event source mapping does: polls the queue, hands batches to a function, deletes what succeeded. What failed comes again
 * after a backoff, until the queue's redrive policy moves it to the dead letters. Closing it waits for the batch under way.
 */
export function startEventSourceMapping({ queues, queue, invoke, log }: EventSourceMappingOptions): Repeated {
  const failedOf = async (messages: readonly Message[]): Promise<ReadonlySet<string>> => {
    try {
      const { batchItemFailures } = await invoke({ Records: messages.map((message) => toRecord(queue, message)) });
      return new Set(batchItemFailures.map((failure) => failure.itemIdentifier));
    } catch (thrown) {
      log(`${messages.length} messages of ${queue} could not be handed on and will be tried again: ${messageOf(thrown)}`);
      return new Set(messages.map((message) => message.id));
    }
  };

  const poll = async (signal: AbortSignal) => {
    const messages = await queues.receive(queue, { max: batchSize, wait: pollMs, signal });
    const failed = messages.length > 0 ? await failedOf(messages) : new Set();
    for (const message of messages) {
      if (failed.has(message.id)) queues.changeVisibility(queue, message.receipt, backoff(message.receiveCount));
      else queues.delete(queue, message.receipt);
    }
    return 0;
  };
  return repeat(poll, (thrown) => log(`The queue ${queue} cannot be read, which is tried again: ${messageOf(thrown)}`));
}

const backoff = (receives: number) => Math.min(longestBackoffMs, firstBackoffMs * 2 ** (receives - 1));

function toRecord(queue: string, message: Message): SqsRecord {
  return {
    messageId: message.id,
    receiptHandle: message.receipt,
    body: message.body,
    attributes: systemAttributes(message),
    messageAttributes: {},
    md5OfBody: createHash('md5').update(message.body).digest('hex'),
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn(queue),
    awsRegion: region,
  };
}
