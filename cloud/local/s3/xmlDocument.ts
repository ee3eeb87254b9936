import { XMLParser } from 'fast-xml-parser';
import { messageOf } from '../../../shared/errors.ts';

/** What an XML document holds (elements are properties, texts are strings), or why it is none. */
export type XmlDocument = { readonly kind: 'content'; readonly content: unknown } | { readonly kind: 'malformed'; readonly why: string };

const parser = new XMLParser({
  ignoreDeclaration: true,
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true, // Numeric references, which keys with line breaks need.
  isArray: (name) => ['Object', 'Part', 'Tag'].includes(name),
});

export function readDocument(text: string): XmlDocument {
  if (text.includes('<!DOCTYPE')) return { kind: 'malformed', why: 'It must not have a document type.' };
  try {
    return { kind: 'content', content: parser.parse(text) };
  } catch (thrown) {
    return { kind: 'malformed', why: messageOf(thrown) };
  }
}
