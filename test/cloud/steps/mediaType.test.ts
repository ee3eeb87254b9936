import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { mediaTypeOf } from '../../../cloud/steps/mediaType.ts';

const small = sharp({ create: { width: 16, height: 16, channels: 3, background: '#08f' } });

/** The beginning of an ISO base media file with these brands. */
function ftyp(major: string, ...compatible: string[]): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(16 + 4 * compatible.length);
  return Buffer.concat([size, Buffer.from(`ftyp${major}\0\0\0\0${compatible.join('')}`), Buffer.alloc(64)]);
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
    ['nothing', ''],
  ])('takes %s for no picture', (_, content) => {
    expect(mediaTypeOf(Buffer.from(content), 'jpg')).toBeNull();
  });
});
