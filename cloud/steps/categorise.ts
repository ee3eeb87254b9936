import * as v from 'valibot';
import { messageOf } from '../../shared/errors.ts';
import { rulesPartition } from '../../shared/keys.ts';
import type { LibraryId } from '../../shared/model/asset.ts';
import { type Rule, rule } from '../../shared/model/rule.ts';
import { parse } from '../../shared/parse.ts';
import { matchRules } from '../../shared/rules.ts';
import type { Backend } from './backend.ts';
import { loadLabels } from './detectLabels.ts';
import { loadModeration } from './detectModeration.ts';
import { loadText } from './detectText.ts';
import { admitted, type Judged, knownOf, labelsFound, moderationFound, rendered, task, textFound } from './state.ts';
import { itemsOf } from './table.ts';

const input = v.object({
  ...admitted.entries,
  rendered,
  found: v.object({ labels: labelsFound, text: textFound, moderation: moderationFound }),
});

/** So many fit in the record and in the state besides all else. */
const maxMatches = 50;

/** Judges the asset by the library's rules: `success` when one matches, else `failure`. */
export const categorise = task('Categorise', input, async (state, backend): Promise<Judged> => {
  const { library, asset, found } = state;
  const { media } = knownOf(state.media, state.rendered);
  const [labels, text, moderation] = await Promise.all([
    loadLabels(backend, found.labels),
    loadText(backend, found.text),
    loadModeration(backend, found.moderation),
  ]);
  const matches = matchRules({ labels, text, moderation, media }, await loadRules(backend, library));
  if (matches.length > maxMatches)
    backend.warn(`${matches.length} rules match ${asset}; only the first ${maxMatches} of them are reported.`);
  return { category: matches.length > 0 ? 'success' : 'failure', matches: matches.slice(0, maxMatches) };
});

/** The library's rules, deleted ones too. One that cannot be understood must not stop the others: it is left out with a warning. */
async function loadRules(backend: Backend, library: LibraryId): Promise<Rule[]> {
  const rules: Rule[] = [];
  for await (const item of itemsOf(backend, rulesPartition(library))) {
    try {
      rules.push(parse(rule, item, `rule ${item['sk']}`));
    } catch (thrown) {
      backend.warn(`A rule of ${library} is left out: ${messageOf(thrown)}`);
    }
  }
  return rules;
}
