import { CopyObjectCommand, DeleteObjectCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { inputBucket } from '../../../cloud/local/names.ts';
import { changeAsset, claim, finish } from '../../../cloud/steps/assets.ts';
import { file } from '../../../cloud/steps/file.ts';
import { findOriginal, restoreOriginal, stateOf } from '../../../cloud/steps/originals.ts';
import { analyzedKey, inboxKey, rejectedKey } from '../../../shared/keys.ts';
import type { Outcome } from '../../../shared/model/asset.ts';
import { openBackend, send, type TestBackend } from './openBackend.ts';

/** Sends a photo and records how it ended. */
async function finished(backend: TestBackend, outcome: Outcome) {
  const who = await send(backend, Buffer.from('photo'));
  await changeAsset(backend, who.library, who.asset, claim(who, 'dog.jpg'));
  await changeAsset(backend, who.library, who.asset, finish(who, { outcome }));
  return who;
}
const archive = ({ s3 }: TestBackend, Key: string) =>
  s3.send(new CopyObjectCommand({ Bucket: inputBucket, Key, CopySource: `${inputBucket}/${Key}`, StorageClass: 'GLACIER' }));

it('finds an original before and after it is filed, archived and restored', async () => {
  const backend = await openBackend();
  const who = await finished(backend, { kind: 'analysed', category: 'failure' });
  const key = analyzedKey(who, 'failure');
  expect(await findOriginal(backend, who.library, who.asset)).toEqual({ kind: 'stored', key: inboxKey(who) });
  await file({ ...who, ended: { destination: 'failure' } }, backend);
  expect(await findOriginal(backend, who.library, who.asset)).toEqual({ kind: 'stored', key });
  await archive(backend, key);
  expect(await findOriginal(backend, who.library, who.asset)).toEqual({ kind: 'archived', key });
  expect(await restoreOriginal(backend, who.library, who.asset)).toEqual({ kind: 'stored', key });
  expect(await restoreOriginal(backend, who.library, who.asset)).toEqual({ kind: 'stored', key });
});

it('finds a rejected one; says when there is none', async () => {
  const backend = await openBackend();
  const who = await finished(backend, { kind: 'rejected', reason: 'damaged' });
  await file({ ...who, ended: { destination: 'rejected' } }, backend);
  expect(await findOriginal(backend, who.library, who.asset)).toEqual({ kind: 'stored', key: rejectedKey(who) });
  await backend.s3.send(new DeleteObjectCommand({ Bucket: inputBucket, Key: rejectedKey(who) }));
  expect(await findOriginal(backend, who.library, who.asset)).toEqual({ kind: 'missing' });
  expect(await restoreOriginal(backend, who.library, 'f'.repeat(64) as typeof who.asset)).toEqual({ kind: 'missing' });
});

it.each([
  [{}, 'stored'],
  [{ StorageClass: 'STANDARD_IA' as const }, 'stored'],
  [{ StorageClass: 'GLACIER' as const }, 'archived'],
  [{ StorageClass: 'DEEP_ARCHIVE' as const, Restore: 'ongoing-request="true"' }, 'restoring'],
  [{ StorageClass: 'GLACIER' as const, Restore: 'ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"' }, 'stored'],
  [{ StorageClass: 'GLACIER' as const, Restore: 'ongoing-request="false", expiry-date="Wed, 21 Dec 2011 00:00:00 GMT"' }, 'archived'],
])('reads what S3 says: %j', (head, kind) => {
  expect(stateOf('k', { $metadata: {}, ...head }, Date.parse('2012-06-01')).kind).toBe(kind);
});
