import type { IncomingHttpHeaders } from 'node:http';
import { ServiceError } from '../gateway/service.ts';
import { unquoted } from './call.ts';
import type { StoredObject } from './metadata.ts';

/** Conditional requests: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html */

/**
 * Judges `If-Match` and `If-None-Match` of a write against what the key holds now.
 * @throws ServiceError when the write must not happen
 */
export function checkWrite(headers: IncomingHttpHeaders, current: StoredObject | undefined): void {
  const match = headers['if-match'];
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined && noneMatch.trim() !== '*') {
    throw new ServiceError(
      'NotImplemented',
      'A header you provided implies functionality that is not implemented: If-None-Match other than *',
      501,
    );
  }
  if (noneMatch !== undefined && current) throw failed('If-None-Match');
  if (match === undefined) return;
  if (!current) throw new ServiceError('NoSuchKey', 'The specified key does not exist.', 404);
  if (!matches(match, current)) throw failed('If-Match');
}

/**
 * Judges the conditions of a read.
 * @returns whether the client has this very object already: it is answered 304
 * @throws ServiceError when it wants another object than this
 */
export function checkRead(headers: IncomingHttpHeaders, object: StoredObject): boolean {
  return judge(object, {
    match: headers['if-match'],
    noneMatch: headers['if-none-match'],
    modifiedSince: headers['if-modified-since'],
    unmodifiedSince: headers['if-unmodified-since'],
  });
}

/**
 * Judges the conditions of a copy on its source.
 * @throws ServiceError when the source must not be copied
 */
export function checkCopySource(headers: IncomingHttpHeaders, source: StoredObject): void {
  const condition = (name: string) => headers[`x-amz-copy-source-if-${name}`]?.toString();
  const isSame = judge(source, {
    match: condition('match'),
    noneMatch: condition('none-match'),
    modifiedSince: condition('modified-since'),
    unmodifiedSince: condition('unmodified-since'),
  });
  if (isSame) throw failed('x-amz-copy-source-if');
}

interface Conditions {
  readonly match: string | undefined;
  readonly noneMatch: string | undefined;
  readonly modifiedSince: string | undefined;
  readonly unmodifiedSince: string | undefined;
}

/** ETags outrank times: https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2 */
function judge(object: StoredObject, { match, noneMatch, modifiedSince, unmodifiedSince }: Conditions): boolean {
  const modified = Math.floor(object.modifiedAt / 1000) * 1000;
  if (match !== undefined) {
    if (!matches(match, object)) throw failed('If-Match');
  } else if (unmodifiedSince !== undefined && modified > Date.parse(unmodifiedSince)) {
    throw failed('If-Unmodified-Since');
  }
  if (noneMatch !== undefined) return matches(noneMatch, object);
  return modifiedSince !== undefined && modified <= Date.parse(modifiedSince);
}

const matches = (list: string, { etag }: StoredObject) =>
  list.split(',').some((item) => item.trim() === '*' || unquoted(item.trim().replace(/^W\//, '')) === etag);

const failed = (condition: string) =>
  new ServiceError('PreconditionFailed', `At least one of the pre-conditions you specified did not hold: ${condition}`, 412);
