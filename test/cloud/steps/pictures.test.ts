import { readFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { analysisSize, decodePhoto, decodingError, encodeGrids, encodeRenditions } from '../../../cloud/steps/pictures.ts';
import { fitInside, type Pixels } from '../../../cloud/steps/pixels.ts';
import { Permanent, Transient } from '../../../shared/errors.ts';

const sample = readFile(new URL('../../../node_modules/@vladmandic/face-api/demo/sample1.jpg', import.meta.url));

/** 240 × 160: red top left, green top right, blue bottom left, white bottom right. */
async function quarters(): Promise<Buffer> {
  const quarter = (background: string) =>
    sharp({ create: { width: 120, height: 80, channels: 3, background } })
      .png()
      .toBuffer();
  const [red, green, blue] = await Promise.all([quarter('#f00'), quarter('#0f0'), quarter('#00f')]);
  return sharp({ create: { width: 240, height: 160, channels: 3, background: '#fff' } })
    .composite([
      { input: red, left: 0, top: 0 },
      { input: green, left: 120, top: 0 },
      { input: blue, left: 0, top: 80 },
    ])
    .png()
    .toBuffer();
}

/** The colour at a ratio of width and height, each channel rounded to 0 or 1. */
function colourAt({ data, width, height }: Pixels, x: number, y: number): string {
  const at = (Math.floor(y * height) * width + Math.floor(x * width)) * 3;
  return [...data.subarray(at, at + 3)].map((channel) => Math.round(channel / 255)).join('');
}

const corners = (pixels: Pixels) =>
  [
    [0.25, 0.25],
    [0.75, 0.25],
    [0.25, 0.75],
    [0.75, 0.75],
  ].map(([x = 0, y = 0]) => colourAt(pixels, x, y));

const upright = ['100', '010', '001', '111'];

/** What a camera stores for an orientation, so that it is shown upright (Exif 2.3, tag 274). sharp mirrors before it turns. */
const stored: Record<number, (picture: Sharp) => Sharp> = {
  1: (picture) => picture,
  2: (picture) => picture.flop(),
  3: (picture) => picture.rotate(180),
  4: (picture) => picture.flip(),
  5: (picture) => picture.flop().rotate(270),
  6: (picture) => picture.rotate(270),
  7: (picture) => picture.flop().rotate(90),
  8: (picture) => picture.rotate(90),
};

describe('decodePhoto', () => {
  // In libvips' words (util.c, tracked memory), and C++'s.
  it.each(['out of memory --- size == 96MB', 'VipsJpeg: Insufficient memory (case 4)', 'std::bad_alloc'])(
    'blames the picture for nothing that this computer lacks: %s',
    (text) => {
      expect(decodingError(new Error(text))).toBeInstanceOf(Transient);
      expect(decodingError(new Error('VipsJpeg: premature end of JPEG image'))).toBeInstanceOf(Permanent);
    },
  );

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('shows orientation %i upright', async (orientation) => {
    const turned = await stored[orientation]?.(sharp(await quarters()))
      .png()
      .toBuffer();
    const photo = await decodePhoto(await sharp(turned).withMetadata({ orientation }).jpeg({ chromaSubsampling: '4:4:4' }).toBuffer());
    expect(photo.size).toEqual({ width: 240, height: 160 });
    expect(photo.pixels).toMatchObject({ width: 240, height: 160 });
    expect(corners(photo.pixels)).toEqual(upright);
  });

  it.each(['jpeg', 'png', 'webp', 'tiff', 'gif', 'avif'] as const)('decodes %s', async (format) => {
    const photo = await decodePhoto(
      await sharp(await quarters())
        .toFormat(format, { quality: 100 })
        .toBuffer(),
    );
    expect(photo).toMatchObject({ size: { width: 240, height: 160 }, animated: false });
    expect(corners(photo.pixels)).toEqual(upright);
  });

  it('turns 16 bits a channel into 8', async () => {
    const { pixels } = await decodePhoto(
      await sharp(await quarters())
        .toColourspace('rgb16')
        .png()
        .toBuffer(),
    );
    expect(pixels.data).toHaveLength(240 * 160 * 3);
    expect(corners(pixels)).toEqual(upright);
  });

  it('turns CMYK into sRGB', async () => {
    const { pixels } = await decodePhoto(
      await sharp(await quarters())
        .toColourspace('cmyk')
        .jpeg({ quality: 100 })
        .toBuffer(),
    );
    expect(pixels.data).toHaveLength(240 * 160 * 3);
    // Pure green cannot be printed.
    expect(corners(pixels).toSpliced(1, 1)).toEqual(upright.toSpliced(1, 1));
  });

  it('turns grey into three equal channels, and transparency into white', async () => {
    const grey = await decodePhoto(
      await sharp(await quarters())
        .toColourspace('b-w')
        .png()
        .toBuffer(),
    );
    expect(grey.pixels.data).toHaveLength(240 * 160 * 3);
    const nothing = { create: { width: 100, height: 100, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } } as const;
    const clear = await decodePhoto(await sharp(nothing).png().toBuffer());
    expect(colourAt(clear.pixels, 0.5, 0.5)).toBe('111');
  });

  it('takes the first frame of an animation', async () => {
    const frames = await Promise.all(
      ['#f00', '#0f0', '#00f'].map((background) =>
        sharp({ create: { width: 100, height: 90, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    );
    const photo = await decodePhoto(
      await sharp(frames, { join: { animated: true } })
        .gif()
        .toBuffer(),
    );
    expect(photo).toMatchObject({ animated: true, size: { width: 100, height: 90 } });
    expect(colourAt(photo.pixels, 0.5, 0.5)).toBe('100');
  });

  it('accepts junk between the parts of a JPEG', async () => {
    const file = await sample;
    const junk = Buffer.concat([file.subarray(0, 20), Buffer.from([1, 2, 3]), file.subarray(20)]);
    expect((await decodePhoto(junk)).size).toEqual((await decodePhoto(file)).size);
  });

  it.each([0.1, 0.5, 0.99])('refuses a JPEG of which only %d is there', async (share) => {
    const file = await sample;
    const cut = decodePhoto(file.subarray(0, Math.floor(file.length * share)));
    await expect(cut).rejects.toThrow(Permanent);
    await expect(cut).rejects.toThrow(/damaged or incomplete/);
  });

  it('refuses a gigantic picture before it is decoded', async () => {
    const begin = performance.now();
    const file = await withSize(20_000, 20_000);
    await expect(decodePhoto(file)).rejects.toThrow(/too large: it has 20000 × 20000 pixels/);
    await expect(decodePhoto(file)).rejects.toThrow(Permanent);
    expect(performance.now() - begin).toBeLessThan(1000);
  });

  it.each([
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><rect width="100" height="100"/></svg>'],
    ['PPM', 'P3 1 1 255 255 0 0'],
    ['text', 'hello'],
  ])('does not decode %s', async (_, content) => {
    await expect(decodePhoto(Buffer.from(content))).rejects.toThrow(Permanent);
  });
});

/** A PNG that says it has this size, and has not. */
async function withSize(width: number, height: number): Promise<Buffer> {
  const file = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#fff' } })
    .png()
    .toBuffer();
  // The header chunk: type and data from 12 to 29, then their checksum.
  file.writeUInt32BE(width, 16);
  file.writeUInt32BE(height, 20);
  file.writeUInt32BE(crc32(file.subarray(12, 29)), 29);
  return file;
}

describe('sizes', () => {
  it.each([
    [
      { width: 6000, height: 4000 },
      { width: 4096, height: 2731 },
    ],
    [
      { width: 800, height: 600 },
      { width: 800, height: 600 },
    ],
    [
      { width: 16, height: 32 },
      { width: 80, height: 160 },
    ],
    [
      { width: 20, height: 8000 },
      { width: 80, height: 4096 },
    ],
    [
      { width: 1, height: 1 },
      { width: 80, height: 80 },
    ],
  ])('of the analysis copy of %o: %o', (size, expected) => expect(analysisSize(size)).toEqual(expected));

  it('never enlarges other renditions', () => {
    expect(fitInside({ width: 100, height: 50 }, 320)).toEqual({ width: 100, height: 50 });
    expect(fitInside({ width: 8000, height: 2 }, 320)).toEqual({ width: 320, height: 1 });
  });
});

describe('renditions', () => {
  it('have their sizes and formats, and no metadata', async () => {
    const wide = sharp(await sample)
      .resize(5000, 2500, { fit: 'fill' })
      .keepMetadata();
    const renditions = await encodeRenditions(await decodePhoto(await wide.jpeg().toBuffer()));
    const described = await Promise.all(
      Object.entries(renditions).map(async ([name, file]) => {
        const { format, width, height, exif, icc, xmp, orientation } = await sharp(file).metadata();
        return { name, format, width, height, metadata: exif ?? icc ?? xmp ?? orientation };
      }),
    );
    expect(described).toEqual([
      { name: 'thumb', format: 'webp', width: 320, height: 160, metadata: undefined },
      { name: 'preview', format: 'webp', width: 1600, height: 800, metadata: undefined },
      { name: 'analysis', format: 'jpeg', width: 4096, height: 2048, metadata: undefined },
    ]);
    expect(renditions.analysis.length).toBeLessThan(15 * 1024 * 1024);
  });

  it('keep the shape of a picture far longer than wide, whose analysis copy is distorted', async () => {
    const strip = await sharp({ create: { width: 20, height: 8000, channels: 3, background: '#08f' } })
      .png()
      .toBuffer();
    const { thumb, analysis } = await encodeRenditions(await decodePhoto(strip));
    expect(await sharp(thumb).metadata()).toMatchObject({ width: 1, height: 320 });
    expect(await sharp(analysis).metadata()).toMatchObject({ width: 80, height: 4096 });
  });

  it('as grids are N × N means of the upright picture', async () => {
    const turned = await sharp(
      await sharp(await quarters())
        .rotate(270)
        .png()
        .toBuffer(),
    )
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const grids = await encodeGrids((await decodePhoto(turned)).pixels);
    expect(grids.map(({ grid }) => grid)).toEqual([8, 16, 32, 48, 64]);
    for (const { grid, png } of grids) {
      const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
      expect(info).toMatchObject({ width: grid, height: grid, channels: 3 });
      expect(corners({ data, width: grid, height: grid })).toEqual(upright);
      expect(png.length).toBeLessThan(20_000);
    }
  });
});
