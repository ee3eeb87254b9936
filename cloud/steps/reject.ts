import * as v from 'valibot';
import { changeAsset, destinationOf, reject as rejected } from './assets.ts';
import { caught, claimant, type Ended, reasonOf, task } from './state.ts';

const input = v.object({ ...claimant.entries, error: caught });

/** Records why the content of an original cannot be processed. A finished record stays as it is. */
export const reject = task('Reject', input, async (state, backend): Promise<Ended> => {
  const { library, asset, error } = state;
  const standing = await changeAsset(backend, library, asset, rejected(state, reasonOf(error)));
  return { destination: destinationOf(standing) };
});
