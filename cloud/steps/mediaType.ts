/** What a file is by its content. `readable`: it can be decoded here; else it is kept for later. */
export interface MediaType {
  readonly kind: 'photo' | 'video';
  /** MIME type. */
  readonly type: string;
  readonly readable: boolean;
}

/** How many first bytes of a file `mediaTypeOf` needs. */
export const headBytes = 400;

const photo = (type: string): MediaType => ({ kind: 'photo', type, readable: true });
const raw: MediaType = { kind: 'photo', type: 'image/x-raw', readable: false };
const heic: MediaType = { kind: 'photo', type: 'image/heic', readable: false };
const video = (type: string): MediaType => ({ kind: 'video', type, readable: false });

/** Cameras' raw files that are TIFFs inside, so that only the name tells them from a TIFF. */
const tiffBasedRaw = new Set(['dng', 'nef', 'arw', 'cr2', 'orf', 'rw2']);

/**
 * Judges a file by its first bytes. The extension only decides between a TIFF and a raw file that is built as one.
 * @param head at least the first `headBytes` bytes, or the whole file when it is shorter
 * @param ext lower case, no dot
 * @returns null when it is neither a photo nor a video that Pixwatch knows
 */
export function mediaTypeOf(head: Uint8Array, ext: string): MediaType | null {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, headBytes)).toString('latin1');
  const startsWith = (...starts: string[]) => starts.some((start) => text.startsWith(start));

  if (startsWith('\xff\xd8\xff')) return photo('image/jpeg');
  if (startsWith('\x89PNG\r\n\x1a\n')) return photo('image/png');
  if (startsWith('GIF87a', 'GIF89a')) return photo('image/gif');
  if (startsWith('RIFF') && text.slice(8, 12) === 'WEBP') return photo('image/webp');
  if (startsWith('RIFF') && text.slice(8, 12) === 'AVI ') return video('video/x-msvideo');
  if (startsWith('IIRO', 'IIRS', 'MMOR', 'IIU\0', 'FUJIFILMCCD-RAW')) return raw;
  if (startsWith('II*\0', 'MM\0*', 'II+\0', 'MM\0+')) return tiffBasedRaw.has(ext) ? raw : photo('image/tiff');
  if (startsWith('\x1a\x45\xdf\xa3')) return video(text.slice(0, 64).includes('webm') ? 'video/webm' : 'video/x-matroska');
  if (isTransportStream(text, 0, 188) || isTransportStream(text, 4, 192)) return video('video/mp2t');
  if (startsWith('\0\0\x01\xba', '\0\0\x01\xb3')) return video('video/mpeg');
  if (startsWith('\x30\x26\xb2\x75\x8e\x66\xcf\x11')) return video('video/x-ms-asf');
  // QuickTime from before it had a file type box begins with one of its own boxes.
  if (/^.{4}(moov|mdat|wide|free|skip|pnot)/s.test(text)) return video('video/quicktime');
  return text.slice(4, 8) === 'ftyp' ? mediaTypeOfBrands(text) : null;
}

/** Packets of one length, each with a byte to find it by (ISO/IEC 13818-1, 2.4.3); cameras' AVCHD has 4 bytes before each. */
const isTransportStream = (text: string, first: number, length: number) =>
  [0, 1, 2].every((packet) => text[first + packet * length] === 'G');

/** ISO base media files: the major brand, then the compatible ones (ISO/IEC 14496-12, 4.3). */
function mediaTypeOfBrands(text: string): MediaType | null {
  const end = Math.min(text.charCodeAt(2) * 256 + text.charCodeAt(3), text.length);
  const major = text.slice(8, 12);
  const brands = [major, ...(text.slice(16, end).match(/.{4}/gs) ?? [])];
  if (brands.some((brand) => brand === 'avif' || brand === 'avis')) return photo('image/avif');
  if (brands.some((brand) => /^(hei[cxmsf]|hev[cxms]|mif1|msf1)$/.test(brand))) return heic;
  if (major === 'crx ') return raw;
  if (major === 'qt  ') return video('video/quicktime');
  return /^(M4A |M4B |M4P |jp2 |jpx |jxl )$/.test(major) ? null : video('video/mp4');
}
