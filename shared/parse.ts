import * as v from 'valibot';
import { InvalidInput } from './errors.ts';

/**
 * Checks a value that crosses a border against its schema.
 * @param what names the value in the message, e.g. "rule" or "inbox event"
 * @throws InvalidInput naming the first field that is wrong and why
 */
export function parse<S extends v.GenericSchema>(schema: S, value: unknown, what: string): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  throw new InvalidInput(`${what}${path ? `, ${path}` : ''}: ${issue.message}`);
}
