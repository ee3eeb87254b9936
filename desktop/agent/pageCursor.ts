import type * as v from 'valibot';
import { InvalidInput } from '../../shared/errors.ts';
import { parse } from '../../shared/parse.ts';

/** The `next` of a page: the sort key of its last row, opaque to callers. */
export function writePageCursor(key: object): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/**
 * Reads a page cursor back.
 * @param key what `writePageCursor` was given
 * @throws InvalidInput when the cursor is none of ours
 */
export function parsePageCursor<S extends v.GenericSchema>(key: S, cursor: string): v.InferOutput<S> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch (cause) {
    throw new InvalidInput('This is no cursor of a page.', { cause });
  }
  return parse(key, value, 'cursor');
}
