import * as v from 'valibot';
import { parse } from '../../shared/parse.ts';
import { changeAsset, giveUp, hasGivenUp, loadAsset } from './assets.ts';
import type { Backend } from './backend.ts';
import { isLastAttempt } from './executions.ts';
import { requestAttempt, sendDeadLetter } from './inbox.ts';
import { executionInput, reasonOf } from './state.ts';

/** The part of EventBridge's "Step Functions Execution Status Change" that is needed. */
export const statusChange = v.object({
  detail: v.object({
    name: v.string(),
    status: v.picklist(['FAILED', 'TIMED_OUT', 'ABORTED']),
    input: v.pipe(v.string(), v.parseJson(), executionInput),
    error: v.nullish(v.string()),
    cause: v.nullish(v.string()),
  }),
});

/**
 * Goes on after an execution that ended badly: asks for the next attempt, or after the last one sends a dead letter and records the
 * reason. Doing so twice for the same execution changes nothing.
 * @param event of EventBridge, for the statuses FAILED, TIMED_OUT and ABORTED
 */
export async function executionEnded(event: unknown, backend: Backend): Promise<void> {
  const { name: execution, status, input, error, cause } = parse(statusChange, event, 'event').detail;
  const next = { ...input, attempt: input.attempt + 1 };
  if (!isLastAttempt(input)) return requestAttempt(backend, next, backend.settings.secondsBetweenExecutions);

  const known = await loadAsset(backend, input.library, input.asset);
  if (known && hasGivenUp(known, execution)) return;
  const reason = reasonOf({ Error: error ?? status, Cause: cause ?? '' });
  await sendDeadLetter(backend, { reason, message: JSON.stringify(next) });
  await changeAsset(backend, input.library, input.asset, giveUp({ ...input, execution }, reason));
}
