import * as v from 'valibot';
import { videoMinutes } from '../../shared/cost.ts';
import { changeAsset, finishWithout } from './assets.ts';
import { tellCapReached } from './budget.ts';
import { admitted, caught, knownOf, reasonOf, rendered, task } from './state.ts';
import { noteWaiting } from './waiting.ts';

const input = v.object({ ...admitted.entries, rendered: v.optional(rendered), error: caught });

/** Lets an asset wait for budget: its original stays in the inbox, and what was made of it so far stays as well. */
export const park = task('Park', input, async (state, backend) => {
  const { library, asset, media, rendered, error } = state;
  const known = knownOf(media, rendered);
  // First, so that whatever is recorded as waiting is taken up again.
  await noteWaiting(backend, state, media.kind === 'video' ? videoMinutes(known.media.durationMs) : 0);
  await tellCapReached(backend);
  const waiting = { kind: 'waiting', reason: reasonOf(error) } as const;
  await changeAsset(backend, library, asset, finishWithout(state, { outcome: waiting, ...known }));
  return {};
});
