/** What an XML element may hold. A list repeats its element; `undefined` leaves it out. */
export type XmlContent = string | number | boolean | undefined | readonly XmlContent[] | { readonly [name: string]: XmlContent };

/** An XML document of one root element. Children are in the order of the object's keys. */
export function toXml(root: string, content: XmlContent, namespace?: string): string {
  const xmlns = namespace === undefined ? '' : ` xmlns="${namespace}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${xmlns}>${inner(content)}</${root}>`;
}

function inner(content: XmlContent): string {
  if (typeof content !== 'object') return content === undefined ? '' : escapeXml(String(content));
  return Object.entries(content)
    .map(([name, value]) => element(name, value))
    .join('');
}

function element(name: string, content: XmlContent): string {
  if (content === undefined) return '';
  if (Array.isArray(content)) return content.map((item) => element(name, item)).join('');
  return `<${name}>${inner(content)}</${name}>`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Control characters become character references, as S3 sends them: a bare line break or tab would not survive a parser. */
function escapeXml(text: string): string {
  return text.replace(/[&<>"\p{Cc}]/gu, (char) => entities[char] ?? `&#x${char.charCodeAt(0).toString(16).toUpperCase()};`);
}
