import * as v from 'valibot';
import { InvalidInput, messageOf } from '../../shared/errors.ts';
import { parse } from '../../shared/parse.ts';
import type { Backend } from './backend.ts';
import { startExecution } from './executions.ts';
import { readInboxMessage, requestAttempt, sendDeadLetter } from './inbox.ts';
import { takeTurn } from './rate.ts';

export const sqsEvent = v.object({ Records: v.array(v.object({ messageId: v.string(), body: v.string() })) });

/** Lambda's partial batch response: messages named here come again, the others are deleted. */
export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/**
 * Starts an execution for each message of the inbox queue, or puts it back until its turn comes (rate.ts). A message that nothing can be done with goes to the dead letters at once, with
 * the reason; one that failed for another reason comes again.
 * @param event of SQS
 */
export async function dispatch(event: unknown, backend: Backend): Promise<BatchResponse> {
  const { Records } = parse(sqsEvent, event, 'event');
  const failed = await Promise.all(
    Records.map(async ({ messageId, body }) => {
      try {
        await dispatchOne(body, backend);
        return [];
      } catch (thrown) {
        backend.warn(`Message ${messageId} could not be dispatched and comes again: ${messageOf(thrown)}`);
        return [{ itemIdentifier: messageId }];
      }
    }),
  );
  return { batchItemFailures: failed.flat() };
}

/** Less than the 15 minutes that SQS allows, after which an alarm says that messages are not dispatched. */
const longestDelaySeconds = 600;

async function dispatchOne(body: string, backend: Backend): Promise<void> {
  try {
    const { notBefore, ...input } = readInboxMessage(body, backend);
    const startAt = notBefore ?? (await takeTurn(backend));
    const waitSeconds = Math.ceil((startAt - backend.clock.now()) / 1000);
    if (waitSeconds <= 0) return await startExecution(backend, input);
    await requestAttempt(backend, { ...input, notBefore: startAt }, Math.min(waitSeconds, longestDelaySeconds));
  } catch (thrown) {
    if (!(thrown instanceof InvalidInput)) throw thrown;
    await sendDeadLetter(backend, { reason: thrown.message, message: body });
  }
}
