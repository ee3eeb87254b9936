import * as v from 'valibot';
import { changeAsset, destinationOf, finish } from './assets.ts';
import { admitted, caught, type Ended, knownOf, reasonOf, rendered, task } from './state.ts';

/** Why: `reason` by Admit, `rendered.reason` by Poster, or what failed. */
const input = v.object({
  ...admitted.entries,
  reason: v.optional(v.string(), 'Kept safely.'),
  rendered: v.optional(rendered),
  error: v.optional(caught),
});

/** Records that an original is kept as it is, in the inbox, until it can be analysed, with what was made of it so far. */
export const keep = task('Keep', input, async (state, backend): Promise<Ended> => {
  const { library, asset, media, rendered, error } = state;
  const failed = error && `Kept safely, but it cannot be looked at: ${reasonOf(error)}`;
  const isFinal = rendered?.final === true && !error;
  const outcome = { kind: 'kept', reason: failed ?? rendered?.reason ?? state.reason, ...(isFinal && { final: true as const }) } as const;
  const kept = finish(state, { outcome, ...knownOf(media, rendered) });
  return { destination: destinationOf(await changeAsset(backend, library, asset, kept)) };
});
