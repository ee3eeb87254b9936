import { XMLParser } from 'fast-xml-parser';
import * as v from 'valibot';
import { messageOf } from '../../../shared/errors.ts';
import { ServiceError } from '../gateway/service.ts';
import type { Call } from './call.ts';
import { expectedDigests, startDigests } from './checksums.ts';

const parser = new XMLParser({
  ignoreDeclaration: true,
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true, // Numeric references, which keys with line breaks need.
  isArray: (name) => ['Object', 'Part', 'Tag'].includes(name),
});

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
export function parseXml<S extends v.GenericSchema>(text: string, schema: S): v.InferOutput<S> {
  const result = v.safeParse(schema, parseDocument(text));
  if (result.success) return result.output;
  throw malformed(`${v.getDotPath(result.issues[0]) ?? 'document'}: ${result.issues[0].message}`);
}

function parseDocument(text: string): unknown {
  if (text.includes('<!DOCTYPE')) throw malformed('It must not have a document type.');
  try {
    return parser.parse(text);
  } catch (thrown) {
    throw malformed(messageOf(thrown), { cause: thrown });
  }
}

const malformed = (why: string, options?: ErrorOptions) =>
  new ServiceError(
    'MalformedXML',
    `The XML you provided was not well-formed or did not validate against our published schema. ${why}`,
    400,
    options,
  );
