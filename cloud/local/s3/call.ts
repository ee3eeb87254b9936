import type { ServerResponse } from 'node:http';
import type { Clock } from '../../../shared/clock.ts';
import { ServiceError, type SignedRequest } from '../gateway/service.ts';
import { toXml, type XmlContent } from '../gateway/xml.ts';
import type { Blobs } from './blobs.ts';
import type { Database } from './database.ts';
import type { Events } from './events.ts';

/** What every operation works on. */
export interface Store {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly events: Events;
  readonly clock: Clock;
  readonly region: string;
}

/** One request to S3; `bucket` and `key` are decoded, and empty when the path has none. */
export interface Call {
  readonly store: Store;
  readonly request: SignedRequest;
  readonly response: ServerResponse;
  readonly bucket: string;
  readonly key: string;
}

/** A header as text; undefined when it is absent. */
export const header = ({ request }: Call, name: string): string | undefined => request.headers[name]?.toString();

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** Answers 200 with an XML document. */
export function sendXml({ response }: Call, root: string, content: XmlContent): void {
  response.setHeader('content-type', 'application/xml');
  response.end(toXml(root, content, namespace));
}

/** Answers without a body. */
export function sendEmpty({ response }: Call, status: 200 | 204): void {
  response.statusCode = status;
  response.end();
}

/** S3's form of a time in XML. */
export const xmlTime = (time: number): string => new Date(time).toISOString();
export const quoted = (etag: string): string => `"${etag}"`;
/** ETags are accepted without their quotes, as S3 does. */
export const unquoted = (etag: string): string => etag.trim().replace(/^"(.*)"$/, '$1');

/**
 * Reads a whole number out of the query.
 * @throws ServiceError when it is none, or not between `min` and `max`
 */
export function queryNumber({ request }: Call, name: string, fallback: number, min: number, max: number): number {
  const text = request.query.get(name);
  if (text === undefined || text === '') return fallback;
  const number = Number(text);
  if (!/^\d{1,10}$/.test(text) || number < min || number > max) {
    throw new ServiceError('InvalidArgument', `${name} must be a whole number between ${min} and ${max}`);
  }
  return number;
}
