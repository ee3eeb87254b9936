import {
  ExecutionAbortedError,
  ExecutionTimeoutError,
  StateMachine as Interpreter,
  type StateMachineDefinition,
} from 'aws-local-stepfunctions';
import { InvalidInput, messageOf } from '../../shared/errors.ts';
import { lambdaError } from './lambda.ts';
import { functionArn, stateMachineArn, stateMachineName } from './names.ts';
import { createTaskTokens, type TaskAnswer, type TaskTokens } from './taskTokens.ts';

/** What a Task state runs: JSON in, JSON out. What it throws is matched by `name` in `Retry` and `Catch`. */
export type Task = (input: unknown) => Promise<unknown>;

/** What `$$.Execution` is in the state machine, as on AWS. */
export interface ExecutionContext {
  readonly Id: string;
  readonly Input: unknown;
  readonly Name: string;
  /** ISO 8601. */
  readonly StartTime: string;
}

/** `output` is JSON. */
export type Ending =
  | { readonly status: 'SUCCEEDED'; readonly output: string }
  | { readonly status: 'FAILED' | 'ABORTED' | 'TIMED_OUT'; readonly error: string; readonly cause: string };

export type StateEvent = ReturnType<Interpreter['run']>['eventLogs'] extends AsyncGenerator<infer E> ? E : never;

export interface Run {
  /** What happens, as it happens; ends with the run. */
  readonly events: AsyncIterable<StateEvent>;
  /** Never rejects. */
  readonly ending: Promise<Ending>;
  /** Whether it does nothing but wait for a token to be answered. */
  isParked(): boolean;
  abort(): void;
}

export interface StateMachine {
  /** @param onParked called when it has come to do nothing but wait */
  run(execution: ExecutionContext, onParked?: () => void): Run;
  /** The branch of a Parallel or Map that a state belongs to; '' for those of the state machine itself. */
  branchOf(state: string): string;
  /** Whether a state waits for a token to be answered. */
  isWaiting(state: string): boolean;
}

interface Definition {
  readonly States: Readonly<Record<string, State>>;
}

interface State {
  readonly Type: string;
  readonly Branches?: readonly Definition[];
  readonly ItemProcessor?: Definition;
  readonly Resource?: string;
  readonly Parameters?: { readonly FunctionName?: string; readonly Payload?: Record<string, unknown> };
  TimeoutSeconds?: number;
  ResultPath?: string | null;
}

/**
 * Reads a definition in Amazon States Language (JSONPath), to be run on this computer. Each Task state runs the task of the same name, or of the function
 * that it invokes and whose answer it waits for by a token; `${Name}` in the text becomes the ARN of a function of that name, as a deployment to AWS does it.
 * @throws InvalidInput when it is no valid definition, uses what cannot be run here, or a task is missing
 */
export function loadStateMachine(
  text: string,
  tasks: Readonly<Record<string, Task>>,
  tokens: TaskTokens = createTaskTokens(),
): StateMachine {
  const definition = parseDefinition(text);
  const states = [...statesOf(definition, '')];
  const handlers: Record<string, Task> = {};
  const waiting: Record<string, Task> = {};
  for (const { name, state } of states) {
    if (state.ResultPath === '$') delete state.ResultPath;
    if (state.Type !== 'Task') continue;
    // What the interpreter does differently from AWS: a task may take 60 s where it says nothing, and "$" is taken for a field's name.
    state.TimeoutSeconds ??= longestTimer;
    const isWaiting = state.Resource === waitForTaskToken;
    const task = isWaiting ? (state.Parameters?.FunctionName?.split(':').at(-1) ?? name) : name;
    (isWaiting ? waiting : handlers)[name] = asLambda(tasks[task] ?? missing(task));
  }
  const branches = new Map(states.map(({ name, branch }) => [name, branch]));
  const interpreter = interpreters.get(text) ?? interpreterOf(definition);
  interpreters.set(text, interpreter);
  return {
    branchOf: (state) => branches.get(state) ?? '',
    isWaiting: (state) => Object.hasOwn(waiting, state),
    run(execution, onParked = () => {}) {
      const context = { [executionKey]: execution, StateMachine: { Id: stateMachineArn, Name: stateMachineName } };
      const waits = waitsOf(tokens, onParked);
      const all = { ...handlers, ...Object.fromEntries(Object.entries(waiting).map(([name, task]) => [name, waits.handle(name, task)])) };
      const { result, eventLogs, abort } = interpreter.run(execution.Input as never, {
        overrides: { taskResourceLocalHandlers: all as never },
        context,
      });
      return {
        events: eventLogs,
        ending: result.then((output) => ({ status: 'SUCCEEDED', output: JSON.stringify(output) }) as const, toEnding).finally(waits.close),
        isParked: waits.isParked,
        abort,
      };
    },
  };
}

/** The states of one run that wait by a token. */
function waitsOf(tokens: TaskTokens, onParked: () => void) {
  /** By state: what ends its wait. */
  const open = new Map<string, () => void>();
  const parked = new Set<string>();
  return {
    handle:
      (name: string, task: Task): Task =>
      async (input) => {
        // The try before this one, which has run out of time, waits no more.
        open.get(name)?.();
        const { token, answer, close } = tokens.open();
        open.set(name, close);
        const invoked = task(withToken(input, token)).then(() => {
          if (!tokens.has(token)) return;
          parked.add(name);
          onParked();
        });
        try {
          // It may be answered before the function returns; when the function fails, nobody answers.
          return outputOf(await new Promise((resolve, reject) => void Promise.all([answer.then(resolve), invoked.catch(reject)])));
        } finally {
          close();
          parked.delete(name);
        }
      },
    isParked: () => parked.size > 0,
    close: () => {
      for (const close of open.values()) close();
      parked.clear();
    },
  };
}

function outputOf(answer: TaskAnswer): unknown {
  if (answer.kind === 'failure') throw stateError(answer.error, answer.cause);
  return JSON.parse(answer.output);
}

const waitForTaskToken = 'arn:aws:states:::lambda:invoke.waitForTaskToken';

/** Stands for the token in the definition, as the interpreter knows none. */
const tokenMark = '$$.Task.Token';

/** The payload that a state invokes its function with. */
function withToken(input: unknown, token: string): unknown {
  const { Payload } = input as { readonly Payload: Readonly<Record<string, unknown>> };
  return Object.fromEntries(Object.entries(Payload).map(([name, value]) => [name, value === tokenMark ? token : value]));
}

/** Where the interpreter keeps our `$$.Execution`: under its own name it would put each branch's input and start in its place. */
const executionKey = 'WholeExecution';

/** The longest that setTimeout can wait, in seconds. */
const longestTimer = 2_147_483;

/** What the interpreter ignores, or does not do as AWS: better refused than silently wrong. */
const unsupported = ['"JSONata"', '"Assign"', '"HeartbeatSeconds', '"ItemReader"', '"ResultWriter"', '.sync', '$$.State.'];

function parseDefinition(text: string): Definition {
  const found = unsupported.find((feature) => text.includes(feature));
  if (found) throw new InvalidInput(`the state machine uses ${found.replaceAll('"', '')}, which cannot be run on this computer`);
  const definition: Definition = JSON.parse(
    text.replace(/\$\{(\w+)\}/g, (_, name: string) => functionArn(name)).replaceAll('"$$.Execution', () => `"$$.${executionKey}`),
  );
  for (const { state } of statesOf(definition, '')) if (state.Resource === waitForTaskToken) markToken(state.Parameters?.Payload ?? {});
  if (/"[^"]+\.\$":"\$\$\.Task\./.test(JSON.stringify(definition))) {
    throw new InvalidInput('the state machine uses $$.Task. elsewhere than in the payload of a function that is waited for');
  }
  return definition;
}

/** Takes the token's field out of what the interpreter fills in. */
function markToken(payload: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(payload)) {
    if (value !== tokenMark || !name.endsWith('.$')) continue;
    delete payload[name];
    payload[name.slice(0, -2)] = tokenMark;
  }
}

/** By the text they were made of: making one checks the whole definition, which takes a third of a second; they hold nothing of a run. */
const interpreters = new Map<string, Interpreter>();

function interpreterOf(definition: Definition): Interpreter {
  try {
    return new Interpreter(definition as unknown as StateMachineDefinition);
  } catch (thrown) {
    throw new InvalidInput(messageOf(thrown), { cause: thrown });
  }
}

function* statesOf(definition: Definition, branch: string): Generator<{ name: string; state: State; branch: string }> {
  for (const [name, state] of Object.entries(definition.States)) {
    yield { name, state, branch };
    const inner = [...(state.Branches ?? []), ...(state.ItemProcessor ? [state.ItemProcessor] : [])];
    for (const [i, nested] of inner.entries()) yield* statesOf(nested, `${branch}/${name}.${i}`);
  }
}

function missing(state: string): never {
  throw new InvalidInput(`the state machine's state ${state} has no task`);
}

/** Step Functions' own limit for what a state takes or gives, in bytes. */
const maxPayload = 262_144;

/**
 * Gives a task Lambda's manners: input and output pass as JSON, too much output fails the execution, and an error reaches the state machine
 * as its name and Lambda's JSON about it.
 */
function asLambda(task: Task): Task {
  return async (input) => {
    let output: string;
    try {
      output = JSON.stringify((await task(structuredClone(input))) ?? null);
    } catch (thrown) {
      throw stateError(thrown instanceof Error ? thrown.name : 'Error', JSON.stringify(lambdaError(thrown)));
    }
    if (Buffer.byteLength(output) > maxPayload) {
      throw stateError('States.DataLimitExceeded', `The task's output is larger than ${maxPayload} bytes.`);
    }
    return JSON.parse(output);
  };
}

function stateError(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

function toEnding(thrown: unknown): Ending {
  if (thrown instanceof ExecutionAbortedError) return { status: 'ABORTED', error: '', cause: '' };
  if (thrown instanceof ExecutionTimeoutError) return { status: 'TIMED_OUT', error: 'States.Timeout', cause: thrown.message };
  const failed = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  return { status: 'FAILED', error: failed instanceof Error ? failed.name : 'States.Runtime', cause: messageOf(failed) };
}
