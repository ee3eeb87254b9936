import { assertNever } from './errors.ts';
import { type Label, normaliseLabel } from './model/label.ts';
import type { Condition, Match, Rule } from './model/rule.ts';

/** What a rule is judged on. */
export interface Judged {
  readonly labels: readonly Label[];
}

/**
 * The one judge of rules. The cloud stores its verdict in the record; the desktop uses it for the dry run only.
 * @returns a match for every rule that is met and not deleted, in the order of `rules`
 */
export function matchRules(judged: Judged, rules: readonly Rule[]): Match[] {
  return rules.flatMap((rule) => {
    const because = rule.deleted ? null : reasonFor(rule.condition, judged);
    return because === null ? [] : [{ rule: rule.id, revision: rule.revision, name: rule.name, because, notify: rule.notify }];
  });
}

/** Why the condition holds, for people; null when it does not. */
export function reasonFor(condition: Condition, judged: Judged): string | null {
  switch (condition.kind) {
    case 'label': {
      const wanted = normaliseLabel(condition.label);
      const found = judged.labels.find((l) => normaliseLabel(l.name) === wanted && l.confidence >= condition.minConfidence);
      return found ? `${found.name} ${Math.floor(found.confidence)} %` : null;
    }
    default:
      return assertNever(condition.kind);
  }
}
