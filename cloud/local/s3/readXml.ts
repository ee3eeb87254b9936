import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import * as v from 'valibot';
import { ServiceError } from '../gateway/service.ts';
import type { Call } from './call.ts';
import { expectedDigests, startDigests } from './checksums.ts';
import { readDocument, type XmlDocument } from './xmlDocument.ts';

/** A longer document is read in a thread of its own: that takes longer than the event loop may wait. Only large uploads have one. */
const longestAtOnce = 256 << 10;

/**
 * Reads and checks a request's XML document.
 * @param schema of the object that has the root element as its only property
 * @throws ServiceError when it is too long, is not what `Content-MD5` or the checksum say, or does not fit
 */
export async function readXml<S extends v.GenericSchema>(call: Call, schema: S, maxBytes: number): Promise<v.InferOutput<S>> {
  const expected = expectedDigests(call.request);
  const body = await call.request.readBody(maxBytes);
  const digests = startDigests(expected.algorithm);
  digests.update(body);
  expected.check(digests.finish());
  return parseXml(body.toString(), schema);
}

/** @throws ServiceError when the document does not fit */
export async function parseXml<S extends v.GenericSchema>(text: string, schema: S): Promise<v.InferOutput<S>> {
  const document = text.length > longestAtOnce ? await readApart(text) : readDocument(text);
  if (document.kind === 'malformed') throw malformed(document.why);
  const result = v.safeParse(schema, document.content);
  if (result.success) return result.output;
  throw malformed(`${v.getDotPath(result.issues[0]) ?? 'document'}: ${result.issues[0].message}`);
}

async function readApart(text: string): Promise<XmlDocument> {
  const worker = new Worker(new URL('./xmlWorker.ts', import.meta.url), { workerData: text });
  const [document] = await once(worker, 'message');
  return document;
}

const malformed = (why: string) =>
  new ServiceError('MalformedXML', `The XML you provided was not well-formed or did not validate against our published schema. ${why}`);
