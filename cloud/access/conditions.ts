import * as v from 'valibot';
import { matches, type RequestContext } from './pattern.ts';

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */

const wanted = v.pipe(
  v.union([v.string(), v.array(v.string())]),
  v.transform((value): readonly string[] => [value].flat()),
);
const block = v.record(v.string(), wanted);
const flag = v.record(v.string(), v.picklist(['true', 'false']));
/** One block for each operator; all keys of all blocks must hold. */
export const conditions = v.strictObject({
  StringEquals: v.optional(block),
  StringLike: v.optional(block),
  'ForAllValues:StringEquals': v.optional(block),
  'ForAllValues:StringLike': v.optional(block),
  'ForAllValues:StringNotLike': v.optional(block),
  Bool: v.optional(flag),
  Null: v.optional(flag),
});
type Conditions = v.InferOutput<typeof conditions>;
type Operator = keyof Conditions;

/** @param known condition keys in lower case */
export function conditionHolds(condition: Conditions, known: RequestContext): boolean {
  return (Object.keys(condition) as Operator[]).every((operator) =>
    Object.entries(condition[operator] ?? {}).every(([key, value]) => {
      const name = key.toLowerCase();
      const values = Object.hasOwn(known, name) ? [known[name] ?? []].flat() : [];
      return operators[operator](values, [value].flat(), known);
    }),
  );
}

/** @param values those that the request has for the key; none when it lacks the key */
type Judge = (values: readonly string[], wanted: readonly string[], known: RequestContext) => boolean;

const isAny =
  (wildcards: boolean) =>
  (value: string, wanted: readonly string[], known: RequestContext): boolean =>
    wanted.some((pattern) => matches(pattern, value, known, wildcards));
const [equalsAny, isLikeAny] = [isAny(false), isAny(true)];

const operators: Readonly<Record<Operator, Judge>> = {
  // A key with several values needs a set operator: AWS does not define what these say of it, so nothing holds.
  StringEquals: ([value, ...more], wanted, known) => value !== undefined && more.length === 0 && equalsAny(value, wanted, known),
  StringLike: ([value, ...more], wanted, known) => value !== undefined && more.length === 0 && isLikeAny(value, wanted, known),
  // Holds when there is no value at all, as on AWS: a document must ask for the key by Null besides.
  'ForAllValues:StringEquals': (values, wanted, known) => values.every((value) => equalsAny(value, wanted, known)),
  'ForAllValues:StringLike': (values, wanted, known) => values.every((value) => isLikeAny(value, wanted, known)),
  'ForAllValues:StringNotLike': (values, wanted, known) => !values.some((value) => isLikeAny(value, wanted, known)),
  Bool: ([value, ...more], [wanted]) => value?.toLowerCase() === wanted && more.length === 0,
  Null: (values, [wanted]) => (values.length === 0) === (wanted === 'true'),
};
