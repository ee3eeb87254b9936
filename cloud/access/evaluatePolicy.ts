import * as v from 'valibot';
import { parse } from '../../shared/parse.ts';
import { conditionHolds, conditions } from './conditions.ts';
import { matches, type RequestContext } from './pattern.ts';

/**
 * AWS's judgement of a request by one identity-based policy, as far as our own documents need it. What it does not know it refuses instead of
 * passing it over. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */

const oneOrMore = v.pipe(
  v.union([v.string(), v.array(v.string())]),
  v.transform((value): readonly string[] => [value].flat()),
);
const statement = v.strictObject({
  Sid: v.optional(v.string()),
  Effect: v.picklist(['Allow', 'Deny']),
  Action: oneOrMore,
  Resource: oneOrMore,
  Condition: v.optional(conditions, {}),
});
const policyDocument = v.strictObject({ Version: v.literal('2012-10-17'), Statement: v.array(statement) });

/** A policy as plain data, in IAM's own JSON. */
export type PolicyDocument = v.InferInput<typeof policyDocument>;

export interface AccessRequest {
  /** Like `s3:GetObject`. */
  readonly action: string;
  /** The ARN of the one thing that it is done to; `*` when the action has none. */
  readonly resource: string;
  /** Policy variables are taken from it, too. */
  readonly context: RequestContext;
}

/** In the words of AWS's policy simulator. */
export type Decision = 'allowed' | 'explicitDeny' | 'implicitDeny';

/**
 * Judges a request: any statement that denies it wins, else one that allows it, else it is denied.
 * @throws InvalidInput when the document has an element, a condition operator or a variable form that is not known here
 */
export function evaluatePolicy(document: unknown, { action, resource, context }: AccessRequest): Decision {
  const { Statement } = parse(policyDocument, document, 'policy');
  const known: RequestContext = Object.fromEntries(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]));
  const applying = Statement.filter(
    ({ Action, Resource, Condition }) =>
      Action.some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase(), {})) &&
      Resource.some((pattern) => matches(pattern, resource, known)) &&
      conditionHolds(Condition, known),
  );
  if (applying.some(({ Effect }) => Effect === 'Deny')) return 'explicitDeny';
  return applying.length > 0 ? 'allowed' : 'implicitDeny';
}
