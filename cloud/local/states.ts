import * as v from 'valibot';
import type { Execution, Executions, StoredEvent } from './executions.ts';
import { jsonService, operation } from './gateway/jsonService.ts';
import { type Service, ServiceError } from './gateway/service.ts';
import { executionArn, stateMachineArn } from './names.ts';
import type { Runner } from './runner.ts';
import type { TaskAnswer, TaskTokens } from './taskTokens.ts';

const arn = v.object({ executionArn: v.string() });
const page = {
  maxResults: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1000)), 0),
  nextToken: v.optional(v.string()),
};
/** Step Functions' own rules for an execution's name and size of input. */
const executionName = v.pipe(v.string(), v.minLength(1), v.maxLength(80), v.regex(/^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]+$/u));
const executionInput = v.pipe(v.string(), v.maxBytes(262_144));

const task = v.object({ taskToken: v.pipe(v.string(), v.minLength(1)) });
const failure = {
  error: v.optional(v.pipe(v.string(), v.maxLength(256)), ''),
  cause: v.optional(v.pipe(v.string(), v.maxLength(32_768)), ''),
};

/** The Step Functions service for the one state machine there is. */
export function createStates(executions: Executions, runner: Runner, tokens: TaskTokens): Service {
  const answer = (token: string, answered: TaskAnswer) => {
    if (!tokens.answer(token, answered)) throw taskGone();
    return {};
  };
  const find = (executionArn: string): Execution => {
    const found = executions.find(executionArn.split(':').at(-1) ?? '');
    if (found) return found;
    throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
  };

  return jsonService({
    targetPrefix: 'AWSStepFunctions',
    version: '1.0',
    operations: {
      StartExecution: operation(
        v.object({
          stateMachineArn: v.string(),
          name: v.optional(executionName, () => crypto.randomUUID()),
          input: v.optional(executionInput, '{}'),
        }),
        async ({ stateMachineArn: wanted, name, input }) => {
          assertStateMachine(wanted);
          assertJson(input);
          const started = executions.add(name, input) ?? sameRunning(executions.find(name), input);
          runner.wake();
          return { executionArn: executionArn(name), startDate: started.startedAt / 1000 };
        },
      ),
      DescribeExecution: operation(arn, async (input) => describe(find(input.executionArn))),
      ListExecutions: operation(
        v.object({ ...page, stateMachineArn: v.string(), statusFilter: v.optional(v.string()) }),
        async ({ stateMachineArn: wanted, statusFilter, maxResults, nextToken }) => {
          assertStateMachine(wanted);
          const limit = maxResults || 100;
          const found = executions.list(statusFilter ?? null, nextToken ? tokenNumber(nextToken) : Number.MAX_SAFE_INTEGER, limit);
          const last = found.at(-1);
          return { executions: found.map(summarise), ...(last && found.length === limit && { nextToken: String(last.n) }) };
        },
      ),
      GetExecutionHistory: operation(
        v.object({
          ...arn.entries,
          ...page,
          reverseOrder: v.optional(v.boolean(), false),
          includeExecutionData: v.optional(v.boolean(), true),
        }),
        async ({ executionArn, maxResults, nextToken, reverseOrder, includeExecutionData }) => {
          const limit = maxResults || 100;
          const offset = nextToken ? tokenNumber(nextToken) : 0;
          const events = executions.history(find(executionArn), reverseOrder, offset, limit);
          return {
            events: includeExecutionData ? events : events.map(withoutData),
            ...(events.length === limit && { nextToken: String(offset + limit) }),
          };
        },
      ),
      StopExecution: operation(
        v.object({
          ...arn.entries,
          ...failure,
        }),
        async (input) => {
          const execution = find(input.executionArn);
          runner.stop(execution, input.error, input.cause);
          return { stopDate: (find(input.executionArn).stoppedAt ?? 0) / 1000 };
        },
      ),
      SendTaskSuccess: operation(v.object({ ...task.entries, output: executionInput }), async ({ taskToken, output }) => {
        assertJson(output, 'InvalidOutput');
        return answer(taskToken, { kind: 'success', output });
      }),
      SendTaskFailure: operation(v.object({ ...task.entries, ...failure }), async ({ taskToken, error, cause }) =>
        answer(taskToken, { kind: 'failure', error, cause }),
      ),
      SendTaskHeartbeat: operation(task, async ({ taskToken }) => {
        if (!tokens.has(taskToken)) throw taskGone();
        return {};
      }),
    },
  });
}

/** StartExecution with the name of a running execution is answered as if it had started it, when the input is the same, as on AWS. */
function sameRunning(existing: Execution | null, input: string): Execution {
  if (existing?.status === 'RUNNING' && existing.input === input) return existing;
  throw new ServiceError('ExecutionAlreadyExists', `Execution Already Exists: '${executionArn(existing?.name ?? '')}'`);
}

function assertStateMachine(arn: string): void {
  if (arn !== stateMachineArn) throw new ServiceError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
}

/** As AWS answers for a token whose execution has ended, or has run out of time. */
const taskGone = () => new ServiceError('TaskTimedOut', "Task Timed Out: 'Provided task does not exist anymore'");

function assertJson(text: string, code = 'InvalidExecutionInput'): void {
  try {
    JSON.parse(text);
  } catch (thrown) {
    throw new ServiceError(code, 'It is no valid JSON.', 400, { cause: thrown });
  }
}

function tokenNumber(token: string): number {
  if (/^\d{1,15}$/.test(token)) return Number(token);
  throw new ServiceError('InvalidToken', `Invalid Token: '${token}'`);
}

function summarise({ name, status, startedAt, stoppedAt }: Execution) {
  return {
    executionArn: executionArn(name),
    stateMachineArn,
    name,
    status,
    startDate: startedAt / 1000,
    ...(stoppedAt !== null && { stopDate: stoppedAt / 1000 }),
  };
}

function describe(execution: Execution) {
  const { input, output, error, cause } = execution;
  return {
    ...summarise(execution),
    input,
    inputDetails: { included: true },
    ...(output !== null && { output, outputDetails: { included: true } }),
    ...(error !== null && { error, cause }),
  };
}

/** What a history shows when execution data is not asked for: neither inputs nor outputs. */
function withoutData(event: StoredEvent): object {
  return Object.fromEntries(
    Object.entries(event).map(([field, value]) => {
      if (typeof value !== 'object' || value === null) return [field, value];
      const { input: _input, output: _output, ...rest } = value as Record<string, unknown>;
      return [field, rest];
    }),
  );
}
