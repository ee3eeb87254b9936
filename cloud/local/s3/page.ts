import { ServiceError } from '../gateway/service.ts';
import { type Call, queryNumber } from './call.ts';
import { keyBytes } from './metadata.ts';

/** What a listing of keys asks for. */
export interface PageRequest {
  readonly prefix: string;
  /** Keys that have it after the prefix are told by their common prefix; empty for none. */
  readonly delimiter: string;
  readonly max: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly prefixes: readonly string[];
  /** The last key or common prefix. */
  readonly last: string;
  /** The first key of the next page; null at the end. */
  readonly next: string | null;
}

/** @param maxName the parameter that limits the number of items */
export function readPageRequest(call: Call, maxName: string): PageRequest {
  const { query } = call.request;
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    max: Math.min(1000, queryNumber(call, maxName, 1000, 0, 2 ** 31 - 1)),
  };
}

/**
 * Reads one page, and past the rest of each common prefix without reading it.
 * @param readFrom gives the items in the order of their keys, from a key on up to `to` (exclusive; null is the end)
 * @param from the first key that may be given
 */
export function readPage<T extends { readonly key: string }>(
  readFrom: (from: Buffer, to: Buffer | null) => Iterable<T>,
  { prefix, delimiter, max }: PageRequest,
  from: Buffer,
): Page<T> {
  const items: T[] = [];
  const prefixes: string[] = [];
  const [first, to] = prefix === '' ? [from, null] : [later(from, keyBytes(prefix)), endOfPrefix(prefix)];
  let last = '';
  for (let position: Buffer | null = max === 0 ? null : first; position !== null; ) {
    const start: Buffer = position;
    position = null;
    for (const item of readFrom(start, to)) {
      if (items.length + prefixes.length === max) return { items, prefixes, last, next: item.key };
      const cut = delimiter === '' ? -1 : item.key.indexOf(delimiter, prefix.length);
      last = cut < 0 ? item.key : item.key.slice(0, cut + delimiter.length);
      if (cut < 0) {
        items.push(item);
      } else {
        prefixes.push(last);
        position = endOfPrefix(last);
        break;
      }
    }
  }
  return { items, prefixes, last, next: null };
}

/** The first key after a marker: after all of a common prefix when the marker is one, since the page before has told of it. */
export function afterMarker({ prefix, delimiter }: PageRequest, marker: string): Buffer {
  const cut = delimiter !== '' && marker.startsWith(prefix) ? marker.indexOf(delimiter, prefix.length) : -1;
  return cut >= 0 && cut + delimiter.length === marker.length ? endOfPrefix(marker) : successor(marker);
}

/** The least key greater than `key`; the empty one, which no object has, stands for the beginning. */
export const successor = (key: string): Buffer => (key === '' ? keyBytes('') : Buffer.concat([keyBytes(key), Buffer.of(0)]));

const later = (a: Buffer, b: Buffer) => (Buffer.compare(a, b) > 0 ? a : b);

/** The least bytes greater than all keys that begin with `prefix`. UTF-8 has no byte 0xFF, so the last one can be counted up. */
function endOfPrefix(prefix: string): Buffer {
  const end = keyBytes(prefix);
  end.writeUInt8(end.readUInt8(end.length - 1) + 1, end.length - 1);
  return end;
}

/** What `encoding-type` wants to be done to keys: XML cannot carry every character. */
export function keyEncoder({ request }: Call): (key: string | undefined) => string | undefined {
  const type = request.query.get('encoding-type');
  if (type === undefined || type === '') return (key) => key;
  if (type !== 'url') throw new ServiceError('InvalidArgument', 'Invalid Encoding Method specified in Request');
  return (key) => key && encodeURIComponent(key).replaceAll('%2F', '/');
}
