import * as v from 'valibot';
import { confidence } from './label.ts';

export type RuleId = string & { readonly brand: 'RuleId' };

export const ruleId = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1–64 letters, digits, "_" or "-"'),
  v.transform((s) => s as RuleId),
);

/** What a rule looks for. A union, so that text, faces, places and times find their place. */
export const condition = v.variant('kind', [
  v.object({
    kind: v.literal('label'),
    label: v.pipe(v.string(), v.trim(), v.minLength(1, 'name the label to look for'), v.maxLength(128)),
    minConfidence: confidence,
  }),
]);
export type Condition = v.InferOutput<typeof condition>;

/** A rule as a person writes it. `notify.sns` publishes to the e-mail and SMS subscribers. */
export const ruleDraft = v.object({
  name: v.pipe(v.string(), v.trim(), v.minLength(1, 'give the rule a name'), v.maxLength(80)),
  condition,
  notify: v.object({ desktop: v.boolean(), sns: v.boolean() }),
});
export type RuleDraft = v.InferOutput<typeof ruleDraft>;

/** A stored rule. Last revision wins; a deleted rule stays as a tombstone so that the deletion reaches every device. */
export const rule = v.object({
  ...ruleDraft.entries,
  id: ruleId,
  revision: v.pipe(v.number(), v.integer(), v.minValue(1)),
  changedAt: v.string(),
  deleted: v.boolean(),
});
export type Rule = v.InferOutput<typeof rule>;

/** One rule that an asset met, as judged in the cloud, with what made it match. */
export const match = v.object({
  rule: ruleId,
  revision: v.number(),
  name: v.string(),
  /** For people, e.g. "Dog 97 %". */
  because: v.string(),
  notify: v.object({ desktop: v.boolean(), sns: v.boolean() }),
});
export type Match = v.InferOutput<typeof match>;
