import * as v from 'valibot';
import { changeAsset, destinationOf, finish } from './assets.ts';
import { admittedPhoto, type Ended, task } from './state.ts';

const input = v.object({ ...admittedPhoto.entries, reason: v.string() });

/** Records that an original is kept as it is, in the inbox, until it can be analysed. */
export const keep = task('Keep', input, async (state, backend): Promise<Ended> => {
  const { library, asset, media, reason } = state;
  const kept = finish(state, { outcome: { kind: 'kept', reason }, media });
  return { destination: destinationOf(await changeAsset(backend, library, asset, kept)) };
});
