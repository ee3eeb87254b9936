import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { mediaTypeOf } from '../../../cloud/steps/mediaType.ts';
import { isOnlyKept } from '../../../shared/model/media.ts';

const small = sharp({ create: { width: 16, height: 16, channels: 3, background: '#08f' } });

/** The beginning of an ISO base media file with these brands. */
function ftyp(major: string, ...compatible: string[]): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(16 + 4 * compatible.length);
  return Buffer.concat([size, Buffer.from(`ftyp${major}\0\0\0\0${compatible.join('')}`), Buffer.alloc(64)]);
}

/** Packets that begin with a G, each with so many bytes before that. */
function packets(before: number, length: number): Buffer {
  const stream = Buffer.alloc(3 * length);
  for (let at = before; at < stream.length; at += length) stream.write('G', at);
  return stream;
}

describe('mediaTypeOf', () => {
  it.each(['jpeg', 'png', 'webp', 'tiff', 'gif', 'avif'] as const)('knows %s by its content, whatever it is called', async (format) => {
    const file = await small.clone().toFormat(format).toBuffer();
    expect(mediaTypeOf(file, 'mp4')).toEqual({ kind: 'photo', type: `image/${format}`, readable: true });
  });

  it('knows a real photo', async () => {
    const file = await readFile(new URL('../../../node_modules/@vladmandic/face-api/demo/sample1.jpg', import.meta.url));
    expect(mediaTypeOf(file, 'jpg')).toEqual({ kind: 'photo', type: 'image/jpeg', readable: true });
  });

  it('forecasts as kept, by their names, what it cannot read', () => {
    for (const ext of ['tif', 'tiff', 'dng', 'cr2', 'nef', 'arw', 'orf', 'rw2']) {
      expect([ext, isOnlyKept(ext)]).toEqual([ext, !mediaTypeOf(Buffer.from('II*\0\x08\0\0\0'), ext)?.readable]);
    }
    for (const ext of ['heic', 'heif', 'cr3', 'raf']) expect(isOnlyKept(ext)).toBe(true);
  });

  it.each([
    ['HEIC of an iPhone', ftyp('heic', 'mif1', 'MiPr', 'heic'), 'image/heic'],
    ['HEIF with a general brand', ftyp('mif1', 'heic'), 'image/heic'],
    ['Canon CR3', ftyp('crx ', 'crx ', 'isom'), 'image/x-raw'],
    ['Fuji RAF', Buffer.from('FUJIFILMCCD-RAW 0201FF129502'), 'image/x-raw'],
    ['Panasonic RW2', Buffer.from('IIU\0\x18\0\0\0'), 'image/x-raw'],
  ])('keeps a %s for later', (_, head, type) => {
    expect(mediaTypeOf(head, 'jpg')).toEqual({ kind: 'photo', type, readable: false });
  });

  it('takes a TIFF with the extension of a raw format for raw', async () => {
    const tiff = await small.clone().tiff().toBuffer();
    expect(mediaTypeOf(tiff, 'nef')).toMatchObject({ type: 'image/x-raw', readable: false });
    expect(mediaTypeOf(tiff, 'tif')).toMatchObject({ type: 'image/tiff', readable: true });
  });

  it.each([
    ['MP4', ftyp('isom', 'isom', 'iso2', 'avc1', 'mp41'), 'video/mp4'],
    ['iPhone MOV', ftyp('qt  ', 'qt  '), 'video/quicktime'],
    ['QuickTime without a file type', Buffer.from('\0\0\0\x08wide\0\0\x10\0mdat', 'latin1'), 'video/quicktime'],
    ['WebM', Buffer.from('\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm', 'latin1'), 'video/webm'],
    ['Matroska', Buffer.from('\x1a\x45\xdf\xa3\xa3B\x86\x81\x01B\x82\x88matroska', 'latin1'), 'video/x-matroska'],
    ['AVI', Buffer.from('RIFF\x10\0\0\0AVI LIST'), 'video/x-msvideo'],
    ['3GP of an old phone', ftyp('3gp4', '3gp4', '3gp5'), 'video/mp4'],
    ['MPEG transport stream', packets(0, 188), 'video/mp2t'],
    ['AVCHD of a camcorder', packets(4, 192), 'video/mp2t'],
    ['MPEG program stream', Buffer.from('\0\0\x01\xba\x44\0\x04', 'latin1'), 'video/mpeg'],
    ['WMV', Buffer.from('3026b2758e66cf11a6d900aa0062ce6c', 'hex'), 'video/x-ms-asf'],
  ])('knows a video: %s', (_, head, type) => {
    expect(mediaTypeOf(head, 'jpg')).toMatchObject({ kind: 'video', type });
  });

  it.each([
    ['SVG', '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['HTML', '<html><script>alert(1)</script></html>'],
    ['PDF', '%PDF-1.7'],
    ['sound', ftyp('M4A ', 'M4A ')],
    ['WAV', 'RIFF\x10\0\0\0WAVEfmt '],
    ['text', 'hello'],
    ['text of Gs', 'G'.repeat(100)],
    ['nothing', ''],
  ])('takes %s for no picture', (_, content) => {
    expect(mediaTypeOf(Buffer.from(content), 'jpg')).toBeNull();
  });
});
