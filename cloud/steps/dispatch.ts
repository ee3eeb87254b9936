import * as v from 'valibot';
import { InvalidInput, messageOf } from '../../shared/errors.ts';
import { parse } from '../../shared/parse.ts';
import type { Backend } from './backend.ts';
import { startExecution } from './executions.ts';
import { readInboxMessage, sendDeadLetter } from './inbox.ts';

const sqsEvent = v.object({ Records: v.array(v.object({ messageId: v.string(), body: v.string() })) });

/** Lambda's partial batch response: messages named here come again, the others are deleted. */
export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/**
 * Starts an execution for each message of the inbox queue. A message that nothing can be done with goes to the dead letters at once, with
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

async function dispatchOne(body: string, backend: Backend): Promise<void> {
  try {
    await startExecution(backend, readInboxMessage(body, backend));
  } catch (thrown) {
    if (!(thrown instanceof InvalidInput)) throw thrown;
    await sendDeadLetter(backend, { reason: thrown.message, message: body });
  }
}
