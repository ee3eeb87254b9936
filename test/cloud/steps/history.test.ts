import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { historyOf } from '../../../cloud/steps/history.ts';

const timestamp = new Date('2024-05-17T10:00:00Z');
const entered = (name: string) => ({ stateEnteredEventDetails: { name } });
const exited = (name: string) => ({ stateExitedEventDetails: { name } });
const failedBecause = (message: string) => ({
  lambdaFunctionFailedEventDetails: { error: 'Transient', cause: JSON.stringify({ errorType: 'Transient', errorMessage: message }) },
});

/** Events as Step Functions lists them; each follows on the one before unless it says otherwise. */
const events = (...list: Partial<HistoryEvent>[]): HistoryEvent[] =>
  list.map((event, i) => ({ id: i + 1, previousEventId: i, timestamp, type: 'ExecutionStarted', ...event }));

const told = (...list: Partial<HistoryEvent>[]) => historyOf(events(...list)).map(({ step, what, detail }) => [step, what, detail]);

describe('historyOf', () => {
  it('tells what began and ended', () => {
    expect(historyOf(events({}, { type: 'TaskStateEntered', ...entered('Admit') }))).toEqual([
      { at: '2024-05-17T10:00:00.000Z', step: 'Admit', what: 'entered', detail: null },
    ]);
    expect(
      told(
        {},
        { type: 'ChoiceStateEntered', ...entered('Route') },
        { type: 'ChoiceStateExited', ...exited('Route') },
        { type: 'ExecutionSucceeded' },
      ),
    ).toEqual([
      ['Route', 'entered', null],
      ['Route', 'succeeded', null],
    ]);
  });

  it('tells of a failure and the try after it, with the name from the event that began the state', () => {
    expect(
      told(
        {},
        { type: 'TaskStateEntered', ...entered('Render') },
        { type: 'LambdaFunctionScheduled' },
        { type: 'LambdaFunctionStarted' },
        { type: 'LambdaFunctionFailed', ...failedBecause('the disk is full') },
        { type: 'LambdaFunctionScheduled' },
        { type: 'LambdaFunctionStarted' },
        { type: 'LambdaFunctionSucceeded' },
        { type: 'TaskStateExited', ...exited('Render') },
      ),
    ).toEqual([
      ['Render', 'entered', null],
      ['Render', 'failed', 'the disk is full'],
      ['Render', 'retried', null],
      ['Render', 'succeeded', null],
    ]);
  });

  it('does not call a state successful whose error was caught', () => {
    expect(
      told(
        {},
        { type: 'TaskStateEntered', ...entered('Render') },
        { type: 'LambdaFunctionScheduled' },
        { type: 'LambdaFunctionFailed', ...failedBecause('damaged') },
        { type: 'TaskStateExited', ...exited('Render') },
        { type: 'TaskStateEntered', ...entered('Reject') },
      ),
    ).toEqual([
      ['Render', 'entered', null],
      ['Render', 'failed', 'damaged'],
      ['Reject', 'entered', null],
    ]);
  });

  it('keeps the branches of a parallel state apart', () => {
    expect(
      told(
        { type: 'ParallelStateStarted' },
        { type: 'TaskStateEntered', previousEventId: 1, ...entered('DetectLabels') },
        { type: 'TaskStateEntered', previousEventId: 1, ...entered('DetectFaces') },
        { type: 'LambdaFunctionScheduled', previousEventId: 2 },
        { type: 'LambdaFunctionScheduled', previousEventId: 3 },
        { type: 'LambdaFunctionTimedOut', previousEventId: 5, lambdaFunctionTimedOutEventDetails: { error: 'States.Timeout' } },
      ),
    ).toEqual([
      ['DetectLabels', 'entered', null],
      ['DetectFaces', 'entered', null],
      ['DetectFaces', 'failed', 'States.Timeout'],
    ]);
  });

  it('tells how the execution ended', () => {
    expect(told({}, { type: 'ExecutionFailed', executionFailedEventDetails: { error: 'AccessDenied', cause: 'not allowed' } })).toEqual([
      ['Execution', 'failed', 'not allowed'],
    ]);
  });
});
