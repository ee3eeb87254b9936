import { setImmediate as nextTurn } from 'node:timers/promises';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { parseXml } from '../../../../cloud/local/s3/readXml.ts';

const schema = v.object({ CompleteMultipartUpload: v.object({ Part: v.array(v.object({ PartNumber: v.string(), ETag: v.string() })) }) });
const numbers = Array.from({ length: 10_000 }, (_, i) => String(i + 1));
const part = (number: string) => `<Part><PartNumber>${number}</PartNumber><ETag>&quot;${'a'.repeat(32)}&quot;</ETag></Part>`;
const document = (parts: string) => `<?xml version="1.0"?><CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`;

test('a long document is read while the event loop goes on', async () => {
  let isOver = false;
  const reading = parseXml(document(numbers.map(part).join('')), schema).finally(() => {
    isOver = true;
  });
  let turns = 0;
  for (; !isOver; turns++) await nextTurn();
  expect(turns).toBeGreaterThan(10);
  const { Part } = (await reading).CompleteMultipartUpload;
  expect(Part.map(({ PartNumber }) => PartNumber)).toEqual(numbers);
  expect(new Set(Part.map(({ ETag }) => ETag))).toEqual(new Set([`"${'a'.repeat(32)}"`]));
});

test.each([
  ['short', 1],
  ['long', 10_000],
])('a %s document that is torn or does not fit is malformed', async (_, length) => {
  const parts = numbers.slice(0, length).map(part).join('');
  const malformed = expect.objectContaining({ code: 'MalformedXML', status: 400 });
  await expect(parseXml(document(`${parts}<Part>`), schema)).rejects.toEqual(malformed);
  await expect(parseXml(document(`${parts}<Part><PartNumber>1</PartNumber></Part>`), schema)).rejects.toEqual(malformed);
  await expect(parseXml(`<!DOCTYPE a>${document(parts)}`, schema)).rejects.toEqual(malformed);
});
