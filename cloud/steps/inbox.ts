import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { InvalidInput } from '../../shared/errors.ts';
import { parseInboxKey } from '../../shared/keys.ts';
import { parse } from '../../shared/parse.ts';
import type { Backend } from './backend.ts';
import { executionInput } from './state.ts';

/**
 * What travels through the two queues. The inbox queue: S3's "Object Created" events, and execution inputs where an attempt is to be made
 * again. The dead letters: what could not be done, with the reason and the message that would take it up again.
 */

/**
 * The part of S3's event (through EventBridge) that is needed. Its key is raw; its ETag has no quotes.
 */
const objectCreated = v.object({
  source: v.literal('aws.s3'),
  'detail-type': v.literal('Object Created'),
  time: v.pipe(v.string(), v.isoTimestamp()),
  detail: v.object({
    bucket: v.object({ name: v.string() }),
    object: v.object({ key: v.string(), etag: v.string(), 'version-id': v.optional(v.string()) }),
  }),
});

/** An execution that is to start, at the earliest at a time in milliseconds since 1970; it has had its turn given. */
const attempt = v.object({ ...executionInput.entries, notBefore: v.optional(v.number()) });
export type Attempt = v.InferOutput<typeof attempt>;

const inboxMessage = v.union([attempt, objectCreated], 'is neither an event of the inbox nor a request to try again');

/**
 * Reads a message of the inbox queue.
 * @returns the execution that it asks for
 * @throws InvalidInput when it asks for none
 */
export function readInboxMessage(body: string, { names }: Pick<Backend, 'names'>): Attempt {
  const message = parse(inboxMessage, parseJson(body), 'message');
  if ('asset' in message) return message;
  const { time, detail } = message;
  const { bucket, object } = detail;
  if (bucket.name !== names.inputBucket) throw new InvalidInput(`The event is about another bucket: ${bucket.name}.`);
  return { ...parseInboxKey(object.key), version: object['version-id'] ?? versionBy(object.etag, new Date(time)), attempt: 1 };
}

/** The version of an object in the inbox: what its event said. */
export const versionOf = ({ VersionId, ETag = '', LastModified = new Date(0) }: HeadObjectCommandOutput): string =>
  VersionId ?? versionBy(ETag.replaceAll('"', ''), LastModified);

/** Tells one writing of a key from the next where the bucket keeps no versions. The time is in whole seconds, as S3's HEAD tells it. */
const versionBy = (etag: string, written: Date) => `${etag} ${written.toISOString()}`;

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (thrown) {
    throw new InvalidInput('The message is not JSON.', { cause: thrown });
  }
}

/** Asks for an attempt through the inbox queue, which the dispatcher will start after `delaySeconds`. */
export async function requestAttempt({ sqs, names }: Backend, input: Attempt, delaySeconds: number): Promise<void> {
  const MessageBody = JSON.stringify(input);
  await sqs.send(new SendMessageCommand({ QueueUrl: names.inboxQueueUrl, MessageBody, DelaySeconds: delaySeconds }));
}

export const deadLetter = v.object({
  /** For people. */
  reason: v.string(),
  /** The message to put into the inbox queue to take it up again. */
  message: v.string(),
});

export async function sendDeadLetter({ sqs, names }: Backend, letter: v.InferOutput<typeof deadLetter>): Promise<void> {
  await sqs.send(new SendMessageCommand({ QueueUrl: names.deadLetterQueueUrl, MessageBody: JSON.stringify(letter) }));
}
