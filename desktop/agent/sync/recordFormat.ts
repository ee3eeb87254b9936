import { createHash } from 'node:crypto';
import type * as v from 'valibot';
import { assetRecord } from '../../../shared/model/asset.ts';

/** What of a valibot schema says which fields and words it takes. */
interface Schema extends v.GenericSchema {
  readonly entries?: Record<string, Schema>;
  readonly item?: Schema;
  readonly wrapped?: Schema;
  readonly options?: readonly (Schema | string)[];
  readonly literal?: unknown;
}

/** The fields, types and words that a schema takes, without what it checks beyond. */
export function shapeOf(schema: v.GenericSchema): unknown {
  const { type, entries, item, wrapped, options, literal } = schema as Schema;
  if (entries) return Object.entries(entries).map(([name, field]) => [name, shapeOf(field)]);
  if (item) return [type, shapeOf(item)];
  if (wrapped) return [type, shapeOf(wrapped)];
  if (options) return options.map((option) => (typeof option === 'string' ? option : shapeOf(option)));
  return literal ?? type;
}

/** Another one for each version of Pixwatch that knows something else of a record. */
export const recordFormat = createHash('sha256')
  .update(JSON.stringify(shapeOf(assetRecord)))
  .digest('hex');
