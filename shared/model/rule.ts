import * as v from 'valibot';
import { confidence, wordsOf } from './label.ts';

export type RuleId = string & { readonly brand: 'RuleId' };

export const ruleId = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1–64 letters, digits, "_" or "-"'),
  v.transform((s) => s as RuleId),
);

const calendarDay = v.pipe(v.string(), v.isoDate('must be a day like 2024-06-30'));
const hour = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));

/** What a rule can look for, one thing each. */
const singleConditions = [
  v.object({
    kind: v.literal('label'),
    label: v.pipe(v.string(), v.trim(), v.minLength(1, 'name the label to look for'), v.maxLength(128)),
    minConfidence: confidence,
    /** At least so many of it, each as sure as that. Absent: it is enough that the picture has the label. */
    minCount: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100))),
  }),
  v.object({
    kind: v.literal('text'),
    /** Its words, in this order, without regard to case and accents; they may go on from one line to the next. */
    text: v.pipe(
      v.string(),
      v.trim(),
      v.maxLength(200),
      v.check((text) => wordsOf(text).trim() !== '', 'give a word to look for'),
    ),
  }),
  v.object({
    kind: v.literal('moderation'),
    /** Null: any moderation label. */
    label: v.nullable(v.pipe(v.string(), v.trim(), v.minLength(1, 'name the moderation label'), v.maxLength(128))),
    minConfidence: confidence,
  }),
  v.object({
    kind: v.literal('place'),
    latitude: v.pipe(v.number(), v.minValue(-90, 'a latitude is −90 to 90'), v.maxValue(90, 'a latitude is −90 to 90')),
    longitude: v.pipe(v.number(), v.minValue(-180, 'a longitude is −180 to 180'), v.maxValue(180, 'a longitude is −180 to 180')),
    withinKm: v.pipe(v.number(), v.minValue(0.01, 'at least 0.01 km'), v.maxValue(20_000, 'at most 20,000 km')),
  }),
  /** Taken on these days; the last one counts. Null: no limit at this side. */
  v.object({ kind: v.literal('taken'), from: v.nullable(calendarDay), to: v.nullable(calendarDay) }),
  /** Taken from one full hour until just before another, also over midnight: 22 until 6. */
  v.object({ kind: v.literal('hours'), from: hour(23), until: hour(24) }),
] as const;

/** What a rule looks for: one thing, or several at once. */
export const singleCondition = v.variant('kind', singleConditions);
export type SingleCondition = v.InferOutput<typeof singleCondition>;
export const condition = v.variant('kind', [
  ...singleConditions,
  v.object({ kind: v.literal('all'), conditions: v.pipe(v.array(singleCondition), v.minLength(1), v.maxLength(5)) }),
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
