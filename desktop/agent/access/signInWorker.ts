import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../../shared/errors.ts';
import { type SignedIn, type SignInPlace, type SignInWords, signIn } from './cognito.ts';

/** Run as a worker thread: signs in once, for `signInApart`. */
export interface SignInQuestion {
  readonly place: SignInPlace;
  readonly words: SignInWords;
}
export type SignInAnswer =
  | { readonly kind: 'answer'; readonly answer: SignedIn }
  | { readonly kind: 'error'; readonly name: string; readonly text: string };

const { place, words } = workerData as SignInQuestion;
const answer = await signIn(place, words).then(
  (signedIn): SignInAnswer => ({ kind: 'answer', answer: signedIn }),
  (thrown): SignInAnswer => ({ kind: 'error', name: thrown instanceof Error ? thrown.name : 'Error', text: messageOf(thrown) }),
);
parentPort?.postMessage(answer);
