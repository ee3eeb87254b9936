import { ChangeMessageVisibilityBatchCommand, DeleteMessageBatchCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import type { Redriven } from '../../shared/commands.ts';
import { InvalidInput } from '../../shared/errors.ts';
import { inboxKey, type OriginalRef } from '../../shared/keys.ts';
import type { AssetId, LibraryId } from '../../shared/model/asset.ts';
import { loadAsset, reopened, type StoredAsset } from './assets.ts';
import type { Backend } from './backend.ts';
import { statusChange } from './executionEnded.ts';
import { firstNotMade, firstOfNextTry } from './executions.ts';
import { deadLetter, readInboxMessage, requestAttempt, versionOf } from './inbox.ts';
import { headOriginal } from './objects.ts';
import type { ExecutionInput } from './state.ts';
import { isNotedWaiting } from './waiting.ts';

/** An original, and the latest dead letter about it. */
interface Wanted {
  readonly original: OriginalRef;
  readonly letter: ExecutionInput | null;
}

/**
 * Takes up again what was sent and has come to no end, and removes its dead letters. What to do follows from the record, the execution that claimed it and
 * the inbox, also where no letter tells of it: AWS tells of an execution's end as well as it can, and keeps a letter for 14 days. Asked for twice, an attempt
 * is made once.
 * @param originals which; null: whatever of the library is in the dead letters
 * @returns what became of each, and whether there may be more letters of the library
 */
export async function redrive(
  backend: Backend,
  library: LibraryId,
  originals: readonly Pick<OriginalRef, 'asset' | 'ext'>[] | null,
): Promise<{ assets: Redriven[]; more: boolean }> {
  const wanted = new Map<AssetId, Wanted>();
  for (const { asset, ext } of originals ?? []) wanted.set(asset, { original: { library, asset, ext }, letter: null });
  const { letters, isAll } = await receiveDeadLetters(backend);
  const isMine = ({ input }: Letter) => input?.library === library && (originals === null || wanted.has(input.asset));
  const mine = letters.filter(isMine);
  for (const { input } of mine) {
    if (input && input.attempt > (wanted.get(input.asset)?.letter?.attempt ?? 0))
      wanted.set(input.asset, { original: input, letter: input });
  }

  const assets: Redriven[] = [];
  for (const some of inGroups([...wanted.values()], atOnce))
    assets.push(...(await Promise.all(some.map((one) => redriveOne(backend, one)))));
  await remove(backend, mine);
  const others = letters.filter((letter) => !isMine(letter));
  await putBack(backend, others);
  return { assets, more: originals === null && !isAll && mine.length > 0 };
}

/** So many records are looked at at the same time. */
const atOnce = 10;

async function redriveOne(backend: Backend, wanted: Wanted): Promise<Redriven> {
  const { asset } = wanted.original;
  const next = await nextAttempt(backend, wanted);
  if (typeof next === 'string') return { asset, kind: next };
  await requestAttempt(backend, next, 0);
  return { asset, kind: 'redriven' };
}

/** The attempt that would go on with an original, or why there is none. */
async function nextAttempt(
  backend: Backend,
  { original, letter }: Wanted,
): Promise<ExecutionInput | Exclude<Redriven['kind'], 'redriven'>> {
  const record = await loadAsset(backend, original.library, original.asset);
  const kind = record?.outcome.kind ?? null;
  const isWaiting = kind === 'waiting' || (kind === 'kept' && record?.pipelineVersion === reopened);
  if (record && isLookedAt(record)) return letter ?? (record.unfiled === undefined ? 'none' : followingOf(record));
  if (isWaiting && (await isNotedWaiting(backend, original.library, original.asset))) return 'running';

  const head = await headOriginal(backend, inboxKey(letter ?? record ?? original));
  if (letter) return head ? letter : 'gone';
  // It was told of, hence whatever comes after it was not made.
  if (record && kind === 'failed') return head ? followingOf(record) : 'gone';
  const from = record ? claimedBy(record) : head && { ...original, version: versionOf(head), attempt: 1 };
  const next = from && (await firstNotMade(backend, isWaiting ? { ...from, attempt: firstOfNextTry(from.attempt) } : from));
  // What is under way finds out itself that its original is gone, and says so.
  if (from && next === null) return 'running';
  return head && next ? next : 'gone';
}

/** Whether an execution goes on without the original: it was looked at, and filed, or will be. */
const isLookedAt = ({ outcome, pipelineVersion }: StoredAsset) =>
  !['pending', 'waiting', 'failed'].includes(outcome.kind) && pipelineVersion !== reopened;

const claimedBy = ({ library, asset, ext, claim }: StoredAsset): ExecutionInput => ({
  ...{ library, asset, ext },
  version: claim.version,
  attempt: claim.attempt,
});

const followingOf = (record: StoredAsset): ExecutionInput => ({ ...claimedBy(record), attempt: record.claim.attempt + 1 });

interface Letter {
  readonly receipt: string;
  /** Null: the message is no request for an execution and never will be. */
  readonly input: ExecutionInput | null;
}

/** They come back by themselves after this time, should we die. */
const lookSeconds = 60;
/** So many letters are looked at in a call: some seconds, and some hundred requests. SQS cannot search. */
const mostLetters = 500;
const perRequest = 10;

/** @returns also whether these are all that there were */
async function receiveDeadLetters(backend: Backend): Promise<{ letters: Letter[]; isAll: boolean }> {
  const letters: Letter[] = [];
  // Without waiting SQS asks some of its servers only, and none of them may have any.
  const receive = {
    QueueUrl: backend.names.deadLetterQueueUrl,
    MaxNumberOfMessages: perRequest,
    VisibilityTimeout: lookSeconds,
    WaitTimeSeconds: 1,
  };
  while (letters.length < mostLetters) {
    const { Messages = [] } = await backend.sqs.send(new ReceiveMessageCommand(receive));
    if (Messages.length === 0) return { letters, isAll: true };
    letters.push(...Messages.map(({ Body = '', ReceiptHandle = '' }) => ({ receipt: ReceiptHandle, input: inputOf(Body, backend) })));
  }
  return { letters, isAll: false };
}

async function remove({ sqs, names }: Backend, letters: readonly Letter[]): Promise<void> {
  for (const some of inGroups(letters, perRequest)) {
    const Entries = some.map(({ receipt }, n) => ({ Id: `${n}`, ReceiptHandle: receipt }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: names.deadLetterQueueUrl, Entries }));
  }
}

async function putBack({ sqs, names }: Backend, letters: readonly Letter[]): Promise<void> {
  for (const some of inGroups(letters, perRequest)) {
    const Entries = some.map(({ receipt }, n) => ({ Id: `${n}`, ReceiptHandle: receipt, VisibilityTimeout: 0 }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: names.deadLetterQueueUrl, Entries }));
  }
}

function* inGroups<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size);
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
