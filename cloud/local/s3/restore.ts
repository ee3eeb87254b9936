import * as v from 'valibot';
import { ServiceError } from '../gateway/service.ts';
import type { Call } from './call.ts';
import { requireObject, type StoredObject, setHeaders } from './metadata.ts';
import { readXml } from './readXml.ts';

/**
 * Archived objects, as S3's lifecycle makes them and a client can with a storage class: their bytes can be had only after a restore, and for
 * as long as that asked for. AWS takes minutes to hours for it; here they are on the same disk, and it is done at once.
 */

const archiveClasses = ['GLACIER', 'DEEP_ARCHIVE'];
const restoreHeader = 'x-amz-restore';
const dayMs = 24 * 60 * 60 * 1000;
const maxRequestBytes = 64 << 10;

const restoreRequest = v.object({
  RestoreRequest: v.object({
    Days: v.pipe(v.string(), v.regex(/^[1-9]\d{0,4}$/, 'must be a number of days'), v.transform(Number)),
  }),
});

export async function restoreObject(call: Call): Promise<void> {
  const { store, bucket, key } = call;
  const { Days } = (await readXml(call, restoreRequest, maxRequestBytes)).RestoreRequest;
  const was = await store.database.commit(() => {
    const object = requireObject(store.database, bucket, key);
    if (!isArchived(object)) throw invalidState("Restore is not allowed for the object's current storage class");
    const expires = new Date(store.clock.now() + Days * dayMs).toUTCString();
    setHeaders(store.database, object, { ...object.headers, [restoreHeader]: `ongoing-request="false", expiry-date="${expires}"` });
    return object;
  });
  // S3 answers 202 to the first request, and 200 to one that only prolongs.
  call.response.statusCode = isRestored(was, store.clock.now()) ? 200 : 202;
  call.response.end();
}

/** @throws ServiceError when the object is archived and not restored */
export function checkIsReadable({ store }: Call, object: StoredObject): void {
  if (isArchived(object) && !isRestored(object, store.clock.now())) {
    throw invalidState("The operation is not valid for the object's storage class");
  }
}

const isArchived = ({ headers }: StoredObject) => archiveClasses.includes(headers['x-amz-storage-class'] ?? '');

function isRestored({ headers }: StoredObject, now: number): boolean {
  const [, expires = ''] = /expiry-date="([^"]+)"/.exec(headers[restoreHeader] ?? '') ?? [];
  return Date.parse(expires) > now;
}

const invalidState = (text: string) => new ServiceError('InvalidObjectState', text, 403);
