import * as v from 'valibot';
import { changeAsset, destinationOf, finishWithout } from './assets.ts';
import { caught, claimant, type Ended, reasonOf, task } from './state.ts';

const input = v.object({ ...claimant.entries, error: caught });

/** Records why the content of an original cannot be processed. A finished record stays as it is. */
export const reject = task('Reject', input, async (state, backend): Promise<Ended> => {
  const { library, asset, error } = state;
  const rejected = finishWithout(state, { outcome: { kind: 'rejected', reason: reasonOf(error) } });
  return { destination: destinationOf(await changeAsset(backend, library, asset, rejected)) };
});
