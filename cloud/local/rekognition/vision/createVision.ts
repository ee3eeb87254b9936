import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { messageOf, Permanent, Transient } from '../../../../shared/errors.ts';
import type { ModelPaths } from '../models/ensureModels.ts';
import type { Answers, Question, Reply, Request } from './worker.ts';

/** The models, on threads of their own. */
export interface Vision {
  /**
   * Asks for what is in a picture; waits until a thread is free.
   * @param load gives the JPEG or PNG; called when it is the question's turn, so that waiting ones hold no picture
   * @throws Permanent when the picture cannot be decoded
   * @throws Transient when the thread ended or got stuck (the next question gets a new one), or on `close`
   */
  ask<Q extends Question>(question: Q, load: () => Promise<Uint8Array>): Promise<Answers[Q]>;
  /** Ends the threads. */
  close(): Promise<void>;
}

/** A hundred times what the largest picture takes. */
const stuckMs = 5 * 60_000;

/** @param workers how many threads, each with models of its own (about 1 GB); one is started when it is first needed */
export function createVision({ models, workers }: { models: ModelPaths; workers: number }): Vision {
  const threads = Array.from({ length: workers }, () => createThread(models));
  const free = [...threads];
  const waiting: ((thread: Thread) => void)[] = [];
  let closed = false;

  /** Called whenever one more waits or is free. */
  const handOut = () => {
    const thread = waiting.length > 0 ? free.pop() : undefined;
    if (thread) waiting.shift()?.(thread);
  };
  const take = () => {
    const turn = new Promise<Thread>((resolve) => waiting.push(resolve));
    handOut();
    return turn;
  };
  const refuseWhenClosed = () => {
    if (closed) throw new Transient('Pixwatch is closing; the picture is looked at when it runs again.');
  };
  return {
    ask: async <Q extends Question>(question: Q, load: () => Promise<Uint8Array>) => {
      const thread = await take();
      try {
        refuseWhenClosed();
        const image = await load();
        refuseWhenClosed();
        return (await thread.ask({ question, image })) as Answers[Q];
      } finally {
        free.push(thread);
        handOut();
      }
    },
    close: async () => {
      closed = true;
      await Promise.all(threads.map((thread) => thread.end()));
    },
  };
}

interface Thread {
  ask(request: Request): Promise<Answers[Question]>;
  end(): Promise<void>;
}

/** Answers one request at a time. A worker that failed is replaced at the next request. */
function createThread(models: ModelPaths): Thread {
  let worker: Worker | null = null;
  const start = () => {
    const started = startWorker(models);
    started.once('exit', () => {
      if (worker === started) worker = null;
    });
    return started;
  };
  const end = async () => {
    const ended = worker;
    worker = null;
    await ended?.terminate();
  };
  return {
    ask: async (request) => {
      worker ??= start();
      const reply = await exchange(worker, request).catch(async (error: unknown) => {
        await end();
        throw new Transient(`The thread that looks at pictures failed: ${messageOf(error)}. It is started again.`, { cause: error });
      });
      if (reply.kind === 'unreadable') throw new Permanent(reply.reason);
      return reply.answer;
    },
    end,
  };
}

function startWorker(models: ModelPaths): Worker {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: models });
  // Whoever waits for an answer is told; without a listener the failure would end the process as well.
  worker.on('error', () => {});
  return worker;
}

async function exchange(worker: Worker, request: Request): Promise<Reply> {
  const over = new AbortController();
  const stuck = setTimeout(() => void worker.terminate(), stuckMs);
  const ended = async () => {
    const [code] = await once(worker, 'exit', over);
    throw new Error(`it ended with code ${code}`);
  };
  try {
    worker.postMessage(request);
    const [reply] = await Promise.race([once(worker, 'message', over), ended()]);
    return reply;
  } finally {
    clearTimeout(stuck);
    over.abort();
  }
}
