import * as v from 'valibot';
import { type Counts, type PaidApi, paidApis } from '../../shared/cost.ts';
import { inboxPrefix } from '../../shared/keys.ts';
import type { Service, SignedRequest } from './gateway/service.ts';
import { inputBucket } from './names.ts';
import type { StateMachine, Task } from './stateMachine.ts';

/** What AWS would bill of what the local cloud does. Counted in memory, from the start of the process; some additions a request. */
export interface Meter {
  add(item: keyof Counts, amount: number): void;
  /** A step ran for so long. */
  addRun(step: string, ms: number): void;
  read(): { readonly counts: Counts; readonly runs: Readonly<Record<string, { readonly n: number; readonly ms: number }>> };
}

export function createMeter(): Meter {
  const counts: Partial<Record<keyof Counts, number>> = {};
  const runs: Record<string, { n: number; ms: number }> = {};
  const add = (item: keyof Counts, amount: number) => {
    counts[item] = (counts[item] ?? 0) + amount;
  };
  return {
    add,
    addRun(step, ms) {
      add('lambdaRequests', 1);
      const { n, ms: before } = runs[step] ?? { n: 0, ms: 0 };
      runs[step] = { n: n + 1, ms: before + ms };
    },
    read: () => ({ counts: { ...counts }, runs: structuredClone(runs) }),
  };
}

/** Counts the requests that reach the services. */
export function meterServices(meter: Meter, services: Readonly<Record<string, Service>>): Record<string, Service> {
  const entries = Object.entries(services).map(([name, service]): [string, Service] => [
    name,
    async (request, response) => {
      const item = itemOf(name, request);
      if (item) meter.add(item, 1);
      if (name === 's3' && emptiesInbox(request)) meter.add('events', eventsOfEmptying);
      await service(request, response);
    },
  ]);
  return Object.fromEntries(entries);
}

/**
 * On AWS the input bucket keeps versions. It tells EventBridge of the marker that deleting makes, and a day later that its lifecycle has removed version and marker
 * (cloud/stack/storage.ts). What it tells of new objects is counted where they become known.
 */
const eventsOfEmptying = 3;
const emptiesInbox = ({ method, rawPath, query }: SignedRequest) =>
  method === 'DELETE' && rawPath.startsWith(`/${inputBucket}/${inboxPrefix}`) && !query.has('uploadId');

function itemOf(service: string, request: SignedRequest): keyof Counts | null {
  const operation =
    String(request.headers['x-amz-target'] ?? '')
      .split('.')
      .at(-1) ?? '';
  switch (service) {
    case 's3':
      return s3Item(request);
    case 'rekognition':
      // Minutes of video are counted when they are looked at.
      return Object.hasOwn(paidApis, operation) && paidApis[operation as PaidApi].unit === 'image' ? (operation as PaidApi) : null;
    case 'sqs':
      return 'sqsRequests';
    default:
      return null;
  }
}

/** S3's classes of requests: https://aws.amazon.com/s3/pricing/ (PUT, COPY, POST and LIST; GET and all others; DELETE is free). */
function s3Item({ method, query, rawPath }: SignedRequest): keyof Counts | null {
  if (method === 'DELETE') return null;
  const isObject = rawPath.split('/').filter(Boolean).length > 1;
  const isList = method === 'GET' && (!isObject || query.has('uploadId'));
  return isList || method === 'PUT' || method === 'POST' ? 's3Puts' : 's3Gets';
}

const consumed = v.object({
  ConsumedCapacity: v.union([
    v.pipe(
      v.object({ CapacityUnits: v.number() }),
      v.transform(({ CapacityUnits }) => CapacityUnits),
    ),
    v.pipe(
      v.array(v.object({ CapacityUnits: v.number() })),
      v.transform((tables) => tables.reduce((sum, each) => sum + each.CapacityUnits, 0)),
    ),
  ]),
});

const reads = /^(Get|BatchGet|Query|Scan)/;

/** Counts what a call of DynamoDB consumed; its answer must have been asked for `ConsumedCapacity`. @param indexed how many indexes a written item is in */
export function meterDynamodb(meter: Meter, operation: string, answer: unknown, indexed: number): void {
  const { success, output } = v.safeParse(consumed, answer);
  if (!success) return;
  if (reads.test(operation)) meter.add('readUnits', output.ConsumedCapacity);
  else meter.add('writeUnits', output.ConsumedCapacity * (1 + indexed));
}

/** Counts the state transitions of executions: each state that begins, each time. */
export function meterStateMachine(meter: Meter, stateMachine: StateMachine): StateMachine {
  return {
    ...stateMachine,
    run(execution, onParked) {
      const run = stateMachine.run(execution, onParked);
      const events = async function* () {
        for await (const event of run.events) {
          if (event.type === 'StateEntered' || event.type === 'StateRetried') meter.add('stateTransitions', 1);
          yield event;
        }
      };
      return { ...run, events: events() };
    },
  };
}

/** Counts the runs of a task, as Lambda would count the invocations of its function. */
export const meterTask =
  (meter: Meter, step: string, task: Task): Task =>
  async (input) => {
    const began = performance.now();
    try {
      return await task(input);
    } finally {
      meter.addRun(step, performance.now() - began);
    }
  };
