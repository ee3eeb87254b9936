import { CopyObjectCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import type { Service } from '../../../cloud/local/gateway/service.ts';
import { copy, file } from '../../../cloud/steps/file.ts';
import { headOriginal } from '../../../cloud/steps/objects.ts';
import { inboxKey } from '../../../shared/keys.ts';
import { contentOf, headOf, keysIn, openBackend, send } from './openBackend.ts';

const content = Buffer.from('the original');
const ending = (destination: string) => ({ ended: { destination } });

it.each([
  ['success', 'analyzed/success/local'],
  ['failure', 'analyzed/failure/local'],
  ['rejected', 'rejected/local'],
])('moves the original by its outcome: %s', async (destination, folder) => {
  const backend = await openBackend();
  const { inputBucket } = backend.names;
  const who = await send(backend, content, { name: 'grüße.jpg' });
  const to = `${folder}/${who.asset}.jpg`;
  await file({ ...who, ...ending(destination) }, backend);
  expect(await keysIn(backend, inputBucket)).toEqual([to]);
  expect(await contentOf(backend, inputBucket, to)).toEqual(content);
  expect((await headOf(backend, inputBucket, to)).Metadata).toMatchObject({ name: 'gr%C3%BC%C3%9Fe.jpg' });

  await file({ ...who, ...ending(destination) }, backend);
  expect(await keysIn(backend, inputBucket)).toEqual([to]);
});

it('leaves in the inbox what is kept', async () => {
  const backend = await openBackend();
  const who = await send(backend, content);
  await file({ ...who, ...ending('inbox') }, backend);
  expect(await keysIn(backend, backend.names.inputBucket)).toEqual([inboxKey(who)]);
});

it('goes on where it died between the copy and the deletion, and removes a second copy that was sent', async () => {
  const backend = await openBackend();
  const { inputBucket: Bucket } = backend.names;
  const who = await send(backend, content);
  const to = `analyzed/success/local/${who.asset}.jpg`;
  await backend.s3.send(new CopyObjectCommand({ Bucket, Key: to, CopySource: `${Bucket}/${inboxKey(who)}` }));
  const before = await headOf(backend, Bucket, to);
  await file({ ...who, ...ending('success') }, backend);
  await send(backend, content);
  await file({ ...who, ...ending('success') }, backend);
  expect(await keysIn(backend, Bucket)).toEqual([to]);
  expect((await headOf(backend, Bucket, to)).LastModified).toEqual(before.LastModified);
});

it('copies in parts what is too large for one call, several at a time, metadata too', async () => {
  const { promise: two, resolve: onTwo } = Promise.withResolvers<void>();
  let arrived = 0;
  const holding = (name: string, service: Service): Service => {
    if (name !== 's3') return service;
    return async (request, response) => {
      if (request.headers['x-amz-copy-source-range'] !== undefined && ++arrived === 2) onTwo();
      if (arrived === 1) await two;
      await service(request, response);
    };
  };
  const backend = await openBackend({}, {}, holding);
  const { inputBucket: Bucket } = backend.names;
  const megabyte = 1024 * 1024;
  const large = Buffer.alloc(12 * megabyte + 7, 'large ');
  const who = await send(backend, large);
  const source = await headOriginal(backend, inboxKey(who));
  if (!source) throw new Error('nothing was sent');
  await copy(backend, inboxKey(who), 'analyzed/copy', source, { maxCopy: 5 * megabyte, part: 5 * megabyte });
  expect((await contentOf(backend, Bucket, 'analyzed/copy')).equals(large)).toBe(true);
  expect(await headOf(backend, Bucket, 'analyzed/copy')).toMatchObject({ Metadata: source.Metadata, ETag: expect.stringMatching(/-3"$/) });

  const changed = { ...source, ETag: '"0123456789abcdef0123456789abcdef"' };
  await expect(copy(backend, inboxKey(who), 'analyzed/other', changed, { maxCopy: 1, part: 5 * megabyte })).rejects.toThrow();
  expect((await backend.s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).toEqual([]);
});
