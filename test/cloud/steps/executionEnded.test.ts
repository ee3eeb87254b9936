import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { changeAsset, claim, finish } from '../../../cloud/steps/assets.ts';
import { dispatch } from '../../../cloud/steps/dispatch.ts';
import { executionEnded } from '../../../cloud/steps/executionEnded.ts';
import { executionName } from '../../../cloud/steps/executions.ts';
import { sendDeadLetter } from '../../../cloud/steps/inbox.ts';
import { redrive } from '../../../cloud/steps/redrive.ts';
import type { Claimant } from '../../../cloud/steps/state.ts';
import { claimantOf, openBackend, recordOf, send, type TestBackend } from './openBackend.ts';

const content = Buffer.from('photo');
const { execution: _, ...input } = claimantOf(content);

/** EventBridge's event about the end of an attempt. */
const ended = (attempt: number, more: object = {}) => ({
  version: '0',
  'detail-type': 'Step Functions Execution Status Change',
  source: 'aws.states',
  detail: {
    name: executionName({ ...input, attempt }),
    status: 'FAILED',
    input: JSON.stringify({ ...input, attempt }),
    output: null,
    error: 'Transient',
    cause: JSON.stringify({ errorType: 'Transient', errorMessage: 'The disk is full.' }),
    ...more,
  },
});

const by = (attempt: number): Claimant => ({ ...input, attempt, execution: executionName({ ...input, attempt }) });

const redriveIt = async (backend: TestBackend) => (await redrive(backend, input.library, [input])).assets[0]?.kind;

/** Takes what waits in a queue out of it. */
async function take({ sqs }: TestBackend, QueueUrl: string): Promise<unknown[]> {
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  for (const { ReceiptHandle } of Messages) await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  return Messages.map(({ Body = '' }) => JSON.parse(Body));
}

it('asks for the next attempt after the first and the second', async () => {
  const backend = await openBackend();
  await executionEnded(ended(1), backend);
  await executionEnded(ended(2, { status: 'TIMED_OUT', error: null, cause: null }), backend);
  expect(await take(backend, backend.names.inboxQueueUrl)).toEqual([
    { ...input, attempt: 2 },
    { ...input, attempt: 3 },
  ]);
  expect(await take(backend, backend.names.deadLetterQueueUrl)).toEqual([]);
  expect(await recordOf(backend, by(1))).toBeNull();
});

it('sends one dead letter after the third, and records why', async () => {
  const backend = await openBackend();
  await changeAsset(backend, input.library, input.asset, claim(by(1), 'a.jpg'));
  await executionEnded(ended(3), backend);
  await executionEnded(ended(3), backend);
  expect(await take(backend, backend.names.deadLetterQueueUrl)).toEqual([
    { reason: 'The disk is full.', message: JSON.stringify({ ...input, attempt: 4 }) },
  ]);
  expect(await take(backend, backend.names.inboxQueueUrl)).toEqual([]);
  expect(await recordOf(backend, by(1))).toMatchObject({ name: 'a.jpg', outcome: { kind: 'failed', reason: 'The disk is full.' } });
});

it.each([1, 3])('an outcome that attempt %i found stays; the record says that the original was not filed', async (attempt) => {
  const backend = await openBackend();
  await changeAsset(backend, input.library, input.asset, claim(by(attempt), 'a.jpg'));
  await changeAsset(backend, input.library, input.asset, finish(by(attempt), { outcome: { kind: 'analysed', category: 'success' } }));
  await executionEnded(ended(3), backend);
  await executionEnded(ended(3), backend);
  expect(await recordOf(backend, by(3))).toMatchObject({ revision: 3, outcome: { kind: 'analysed' }, unfiled: 'The disk is full.' });
  expect(await take(backend, backend.names.deadLetterQueueUrl)).toHaveLength(1);
  expect(await redriveIt(backend)).toBe('redriven');
  expect(await take(backend, backend.names.inboxQueueUrl)).toEqual([{ ...input, attempt: 4 }]);
});

it('redrive takes up the dead letters of one asset and leaves the others', async () => {
  const backend = await openBackend();
  await send(backend, content);
  const other = { ...claimantOf(Buffer.from('other')), attempt: 4 };
  await sendDeadLetter(backend, { reason: 'poison', message: 'hello' });
  await sendDeadLetter(backend, { reason: 'another', message: JSON.stringify(other) });
  await executionEnded(ended(3), backend);
  expect(await redriveIt(backend)).toBe('redriven');
  expect(await take(backend, backend.names.inboxQueueUrl)).toEqual([{ ...input, attempt: 4 }]);
  expect(await take(backend, backend.names.deadLetterQueueUrl)).toMatchObject([{ reason: 'poison' }, { reason: 'another' }]);
});

it('redrive goes by the record when another redrive holds the letter', async () => {
  const backend = await openBackend();
  await send(backend, content);
  await executionEnded(ended(3), backend);
  await backend.sqs.send(new ReceiveMessageCommand({ QueueUrl: backend.names.deadLetterQueueUrl }));
  expect(await redriveIt(backend)).toBe('redriven');
  expect(await take(backend, backend.names.inboxQueueUrl)).toEqual([{ ...input, attempt: 4 }]);
});

it('redrive removes the letters of an original that is gone, and says that it must be sent again', async () => {
  const backend = await openBackend();
  await executionEnded(ended(3), backend);
  expect(await redriveIt(backend)).toBe('gone');
  expect(await take(backend, backend.names.inboxQueueUrl)).toEqual([]);
  expect(await take(backend, backend.names.deadLetterQueueUrl)).toEqual([]);
  expect(await redriveIt(backend)).toBe('gone');
  await send(backend, content);
  expect(await redriveIt(backend)).toBe('redriven');
});

it('a message that nothing can be done with goes to the dead letters with the reason, its neighbours come again when they must', async () => {
  const backend = await openBackend();
  const Records = ['hello', JSON.stringify({ ...input, attempt: 1 })].map((body, i) => ({ messageId: `m${i}`, body }));
  // Nothing answers for Step Functions here: the second message cannot be dispatched now.
  expect(await dispatch({ Records }, backend)).toEqual({ batchItemFailures: [{ itemIdentifier: 'm1' }] });
  expect(await take(backend, backend.names.deadLetterQueueUrl)).toEqual([{ reason: 'The message is not JSON.', message: 'hello' }]);
});
