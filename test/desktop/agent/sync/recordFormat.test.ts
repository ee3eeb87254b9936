import * as v from 'valibot';
import { expect, test } from 'vitest';
import { shapeOf } from '../../../../desktop/agent/sync/recordFormat.ts';

const record = v.object({
  name: v.nullable(v.string()),
  outcome: v.variant('kind', [v.object({ kind: v.literal('kept') })]),
  labels: v.array(v.object({ name: v.pipe(v.string(), v.maxLength(10)) })),
  kind: v.picklist(['photo', 'video']),
});
const same = (schema: v.GenericSchema) => JSON.stringify(shapeOf(schema)) === JSON.stringify(shapeOf(record));

test('a record in which something else can be has another shape; how long a text may be changes nothing', () => {
  const { entries } = record;
  expect(same(v.object({ ...entries, labels: v.array(v.object({ name: v.string() })) }))).toBe(true);
  expect(same(v.object({ ...entries, more: v.string() }))).toBe(false);
  expect(same(v.object({ ...entries, name: v.string() }))).toBe(false);
  expect(same(v.object({ ...entries, kind: v.picklist(['photo', 'video', 'note']) }))).toBe(false);
  expect(same(v.object({ ...entries, outcome: v.variant('kind', [v.object({ kind: v.literal('waiting') })]) }))).toBe(false);
  expect(same(v.object({ ...entries, labels: v.array(v.object({ name: v.string(), times: v.array(v.number()) })) }))).toBe(false);
});
