import { ChangeMessageVisibilityCommand, DeleteMessageCommand, type Message, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { InvalidInput } from '../../shared/errors.ts';
import { inboxKey } from '../../shared/keys.ts';
import type { AssetId, LibraryId } from '../../shared/model/asset.ts';
import { loadAsset, type StoredAsset } from './assets.ts';
import type { Backend } from './backend.ts';
import { statusChange } from './executionEnded.ts';
import { deadLetter, readInboxMessage, requestAttempt } from './inbox.ts';
import { headOriginal } from './objects.ts';
import type { ExecutionInput } from './state.ts';

/**
 * Takes an asset's dead letter up again: asks for the next attempt and removes the letter. When another redrive holds the letter at this
 * moment, the record tells what to do; asking twice starts one execution. A letter whose original is gone is removed: nothing can be done
 * with it, and an original that is sent again makes its own way.
 */
export async function redrive(backend: Backend, library: LibraryId, asset: AssetId): Promise<'redriven' | 'none' | 'gone'> {
  const letters = await receiveDeadLetters(backend);
  const isMine = ({ input }: Letter) => input?.library === library && input.asset === asset;
  const mine = letters.filter(isMine);
  const inputs = mine.flatMap(({ input }) => input ?? []);
  const record = await loadAsset(backend, library, asset);
  const input = inputs.toSorted((a, b) => b.attempt - a.attempt)[0] ?? failedInput(record);
  const isGone = input !== null && !hasOutcome(record) && (await headOriginal(backend, inboxKey(input))) === null;
  if (input && !isGone) await requestAttempt(backend, input, 0);

  const QueueUrl = backend.names.deadLetterQueueUrl;
  for (const { ReceiptHandle } of mine) await backend.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  for (const { ReceiptHandle } of letters.filter((letter) => !isMine(letter))) {
    await backend.sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
  }
  if (input === null) return 'none';
  return isGone ? 'gone' : 'redriven';
}

interface Letter extends Pick<Message, 'ReceiptHandle'> {
  /** Null: the message is no request for an execution and never will be. */
  readonly input: ExecutionInput | null;
}

/** SQS cannot search, hence all letters are received. They come back by themselves after this time, should we die. */
const lookSeconds = 60;

async function receiveDeadLetters(backend: Backend): Promise<Letter[]> {
  const letters: Letter[] = [];
  const receive = { QueueUrl: backend.names.deadLetterQueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: lookSeconds };
  for (;;) {
    const { Messages = [] } = await backend.sqs.send(new ReceiveMessageCommand(receive));
    if (Messages.length === 0) return letters;
    letters.push(...Messages.map(({ Body, ReceiptHandle }) => ({ ReceiptHandle, input: inputOf(Body ?? '', backend) })));
  }
}

/**
 * What a dead letter asks for. AWS itself moves messages to the dead letters, too: SQS those of the inbox queue, and EventBridge and Lambda events about the
 * end of an execution, which are as `executionEnded` would have got them.
 */
function inputOf(body: string, backend: Backend): ExecutionInput | null {
  const ended = v.safeParse(v.pipe(v.string(), v.parseJson(), statusChange), body);
  if (ended.success) return { ...ended.output.detail.input, attempt: ended.output.detail.input.attempt + 1 };
  const letter = v.safeParse(v.pipe(v.string(), v.parseJson(), deadLetter), body);
  try {
    return readInboxMessage(letter.success ? letter.output.message : body, backend);
  } catch (thrown) {
    if (thrown instanceof InvalidInput) return null;
    throw thrown;
  }
}

/** The attempt after the one that failed, by the asset's record; null when none did. */
function failedInput(record: StoredAsset | null): ExecutionInput | null {
  if (!record || (record.outcome.kind !== 'failed' && record.unfiled === undefined)) return null;
  const { library, asset, ext, claim } = record;
  return { library, asset, ext, version: claim.version, attempt: claim.attempt + 1 };
}

/** Whether an execution goes on without the original: it was looked at, and filed, or will be. */
const hasOutcome = (record: StoredAsset | null) => record !== null && !['pending', 'waiting', 'failed'].includes(record.outcome.kind);
