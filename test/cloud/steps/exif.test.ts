import { readFile } from 'node:fs/promises';
import sharp, { type Exif } from 'sharp';
import { describe, expect, it } from 'vitest';
import { exifOf } from '../../../cloud/steps/exif.ts';

const photo = (exif: Exif) =>
  sharp({ create: { width: 16, height: 16, channels: 3, background: '#08f' } })
    .withExif(exif)
    .jpeg()
    .toBuffer();

describe('exifOf', () => {
  it('reads camera, place and date of a real photo; without an offset the date is taken as UTC', async () => {
    const file = await readFile(new URL('../../../node_modules/@vladmandic/face-api/demo/sample1.jpg', import.meta.url));
    const { place, ...rest } = exifOf(file);
    expect(rest).toEqual({ takenAt: '2017-10-31T20:16:18.000Z', camera: 'SONY ILCE-7M2' });
    expect(place?.latitude).toBeCloseTo(37.3196, 3);
    expect(place?.longitude).toBeCloseTo(-121.9465, 3);
  });

  it('uses the offset that belongs to the date', async () => {
    const file = await photo({
      IFD0: { DateTime: '2024:06:01 00:00:00' },
      IFD2: { DateTimeOriginal: '2024:05:17 01:30:00', OffsetTimeOriginal: '+02:00', OffsetTime: '-05:00' },
    });
    expect(exifOf(file).takenAt).toBe('2024-05-16T23:30:00.000Z');
  });

  it('falls back from a date of zeros to the next one', async () => {
    const file = await photo({
      IFD0: { DateTime: '2024:06:01 10:00:00' },
      IFD2: { DateTimeOriginal: '0000:00:00 00:00:00', DateTimeDigitized: '    :  :     :  :  ' },
    });
    expect(exifOf(file).takenAt).toBe('2024-06-01T10:00:00.000Z');
  });

  it('names the maker once', async () => {
    expect(exifOf(await photo({ IFD0: { Make: 'Canon', Model: 'Canon EOS R5' } })).camera).toBe('Canon EOS R5');
    expect(exifOf(await photo({ IFD0: { Make: 'FUJIFILM', Model: 'X100V' } })).camera).toBe('FUJIFILM X100V');
  });

  it('knows that zeros are no place', async () => {
    const zeros = { GPSLatitudeRef: 'N', GPSLatitude: '0/1 0/1 0/1', GPSLongitudeRef: 'E', GPSLongitude: '0/1 0/1 0/1' };
    const south = { GPSLatitudeRef: 'S', GPSLatitude: '33/1 30/1 0/1', GPSLongitudeRef: 'E', GPSLongitude: '151/1 0/1 0/1' };
    expect(exifOf(await photo({ IFD3: zeros })).place).toBeNull();
    expect(exifOf(await photo({ IFD3: south })).place).toEqual({ latitude: -33.5, longitude: 151 });
  });

  it('takes damaged EXIF for none', async () => {
    const file = await photo({ IFD0: { Make: 'Canon' } });
    const start = file.indexOf('Exif\0\0') + 6;
    file.fill(0xff, start, start + 40);
    expect(exifOf(file)).toEqual({ takenAt: null, camera: null, place: null });
    expect(exifOf(Buffer.from('no picture at all'))).toEqual({ takenAt: null, camera: null, place: null });
  });
});
