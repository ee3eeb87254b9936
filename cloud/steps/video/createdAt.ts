/** Seconds from 1904, from which MP4 and QuickTime count, to 1970. */
const epoch = 2_082_844_800;
/** A file has a handful; more are none of a camera's. */
const maxBoxes = 64;

/**
 * When an MP4 or MOV says that it was made: its movie header, the first box in `moov` (ISO/IEC 14496-12, 8.2.2). UTC, unless its camera did not
 * know better.
 * @returns ISO 8601; null when it says nothing, or is no such file
 */
export async function createdAtOf(size: number, read: (start: number, end: number) => Promise<Uint8Array>): Promise<string | null> {
  let at = 0;
  for (let boxes = 0; boxes < maxBoxes && at + 16 <= size; boxes++) {
    const bytes = Buffer.from(await read(at, Math.min(size, at + 48)));
    const isLong = bytes.readUInt32BE(0) === 1;
    const length = isLong ? Number(bytes.readBigUInt64BE(8)) : bytes.readUInt32BE(0);
    const content = bytes.subarray(isLong ? 16 : 8);
    if (bytes.toString('latin1', 4, 8) === 'moov') return movieHeader(content);
    if (length < 8) return null;
    at += length;
  }
  return null;
}

function movieHeader(box: Buffer): string | null {
  if (box.length < 20 || box.toString('latin1', 4, 8) !== 'mvhd') return null;
  const seconds = box[8] === 1 ? Number(box.readBigUInt64BE(12)) : box.readUInt32BE(12);
  // Before 1970 there were no such files: what writes no date writes 0.
  const made = new Date((seconds - epoch) * 1000);
  return seconds > epoch && !Number.isNaN(made.getTime()) ? made.toISOString() : null;
}
