import * as v from 'valibot';
import { ServiceError } from '../gateway/service.ts';
import { type Call, header, quoted } from './call.ts';
import { checksumHeader } from './checksums.ts';
import type { StoredObject, Tag } from './metadata.ts';

/** What a client says of an object besides its bytes. */
export type Attributes = Pick<StoredObject, 'headers' | 'tags'>;

/** Headers that say how to take an object. A reader may have others in their place. */
const contentHeaders = ['cache-control', 'content-disposition', 'content-encoding', 'content-language', 'content-type', 'expires'];
/** Headers that are kept with an object and sent with it again, besides its user metadata. */
const keptHeaders = [...contentHeaders, 'x-amz-storage-class', 'x-amz-website-redirect-location'];
const maxUserMetadataBytes = 2048;

/**
 * Reads the attributes in a request's headers.
 * @throws ServiceError when S3 would not take them
 */
export function readAttributes(call: Call): Attributes {
  refuseUnknownEncryption(call);
  const headers: Record<string, string> = { 'content-type': 'binary/octet-stream' };
  let userBytes = 0;
  for (const [name, value] of Object.entries(call.request.headers)) {
    if (name.startsWith('x-amz-meta-')) userBytes += name.length - 'x-amz-meta-'.length + String(value).length;
    else if (!keptHeaders.includes(name)) continue;
    headers[name] = String(value);
  }
  if (userBytes > maxUserMetadataBytes) {
    throw new ServiceError('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size');
  }
  cleanHeaders(headers);
  return { headers, tags: readTagHeader(header(call, 'x-amz-tagging')) };
}

/** Nothing is encrypted here, so a client that relies on its own key must not be told that all is well. */
function refuseUnknownEncryption(call: Call): void {
  if (header(call, 'x-amz-server-side-encryption-customer-algorithm') === undefined) return;
  throw new ServiceError('NotImplemented', 'The local cloud does not encrypt with keys of the customer.', 501);
}

/** Takes out what belongs to the transfer, not to the object, and what S3 does not say. */
function cleanHeaders(headers: Record<string, string>): void {
  const encodings = (headers['content-encoding'] ?? '').split(',').map((encoding) => encoding.trim());
  const kept = encodings.filter((encoding) => encoding !== '' && encoding !== 'aws-chunked');
  delete headers['content-encoding'];
  if (kept.length > 0) headers['content-encoding'] = kept.join(',');
  if (headers['x-amz-storage-class'] === 'STANDARD') delete headers['x-amz-storage-class'];
}

const tagsSchema = v.pipe(
  v.array(
    v.object({
      key: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
      value: v.pipe(v.string(), v.maxLength(256)),
    }),
  ),
  v.maxLength(10, 'Object tags cannot be greater than 10'),
  v.check((tags) => new Set(tags.map((tag) => tag.key)).size === tags.length, 'Cannot provide multiple Tags with the same key'),
);

/** @throws ServiceError when they are too many, too long or not unique */
export function checkTags(tags: readonly Tag[]): readonly Tag[] {
  const result = v.safeParse(tagsSchema, tags);
  if (!result.success) throw new ServiceError('InvalidTag', result.issues[0].message);
  return result.output;
}

function readTagHeader(text = ''): readonly Tag[] {
  return checkTags([...new URLSearchParams(text)].map(([key, value]) => ({ key, value })));
}

/** Sets what GET and HEAD tell of an object, but for its length. */
export function writeAttributes({ request, response }: Call, object: StoredObject): void {
  for (const [name, value] of Object.entries(object.headers)) response.setHeader(name, value);
  for (const name of contentHeaders) {
    const override = request.query.get(`response-${name}`);
    if (override !== undefined) response.setHeader(name, override);
  }
  response.setHeader('accept-ranges', 'bytes');
  response.setHeader('etag', quoted(object.etag));
  response.setHeader('last-modified', new Date(object.modifiedAt).toUTCString());
  if (object.tags.length > 0) response.setHeader('x-amz-tagging-count', object.tags.length);
}

/** Sets the headers that tell an object's or a part's checksum. */
export function writeChecksum({ response }: Call, { checksum }: Pick<StoredObject, 'checksum'>): void {
  if (checksum === null) return;
  response.setHeader(checksumHeader(checksum.algorithm), checksum.value);
  response.setHeader('x-amz-checksum-type', checksum.type);
}
