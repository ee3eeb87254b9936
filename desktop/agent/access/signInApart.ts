import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { errorNamed } from '../../../shared/errors.ts';
import type { SignedIn, SignInPlace, SignInWords } from './cognito.ts';
import type { SignInAnswer, SignInQuestion } from './signInWorker.ts';

/**
 * `signIn` in a thread of its own: the sums of SRP, in numbers of 3,072 bits, take some 0.3 s of computing, for which the event loop must not wait.
 * @throws what `signIn` throws
 */
export async function signInApart(place: SignInPlace, words: SignInWords): Promise<SignedIn> {
  const workerData: SignInQuestion = { place, words };
  const worker = new Worker(new URL('./signInWorker.ts', import.meta.url), { workerData });
  try {
    const [message] = (await once(worker, 'message')) as [SignInAnswer];
    if (message.kind === 'answer') return message.answer;
    throw errorNamed(message.name, message.text);
  } finally {
    await worker.terminate();
  }
}
