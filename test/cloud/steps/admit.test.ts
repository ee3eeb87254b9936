import { readFile } from 'node:fs/promises';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { admit } from '../../../cloud/steps/admit.ts';
import { changeAsset, claim, finish } from '../../../cloud/steps/assets.ts';
import { InvalidInput, Permanent, Transient } from '../../../shared/errors.ts';
import { inboxKey } from '../../../shared/keys.ts';
import { claimantOf, openBackend, recordOf, send } from './openBackend.ts';

const sample = await readFile(new URL('../../../node_modules/@vladmandic/face-api/demo/sample1.jpg', import.meta.url));
const plain = await sharp({ create: { width: 90, height: 90, channels: 3, background: '#08f' } })
  .png()
  .toBuffer();
const mp4 = Buffer.concat([Buffer.from('\0\0\0\x18ftypisom\0\0\0\0isommp42', 'latin1'), Buffer.alloc(1000)]);

describe('admit', () => {
  it('claims the asset of a photo and says what its content tells', async () => {
    const backend = await openBackend();
    const who = await send(backend, sample, { name: 'grüße <b>.jpg' });
    expect(await admit(who, backend)).toMatchObject({
      ...who,
      route: 'photo',
      media: { kind: 'photo', type: 'image/jpeg', bytes: sample.length, takenAt: '2017-10-31T20:16:18.000Z', camera: 'SONY ILCE-7M2' },
    });
    const record = await recordOf(backend, who);
    expect(record).toMatchObject({ name: 'grüße <b>.jpg', revision: 1, outcome: { kind: 'pending', execution: who.execution } });
    expect(record).not.toHaveProperty('changedAt');
    await admit(who, backend);
    expect((await recordOf(backend, who))?.revision).toBe(1);
  });

  it('refuses at once what a function has no time to read', async () => {
    const backend = await openBackend();
    const who = await send(backend, mp4, { who: claimantOf(mp4, 'mp4') });
    const sized = (ContentLength: number) => {
      backend.s3.middlewareStack.add(
        (next, { commandName }) =>
          async (args) => {
            const sent = await next(args);
            return commandName === 'HeadObjectCommand' ? { ...sent, output: { ...sent.output, ContentLength } } : sent;
          },
        { name: 'sized', override: true },
      );
    };
    sized(50_000_000_001);
    await expect(admit(who, backend)).rejects.toThrow(/too large: at most 50 GB/);
    await expect(admit(who, backend)).rejects.toThrow(Permanent);
    sized(50_000_000_000);
    expect(await admit(who, backend)).toMatchObject({ route: 'video' });
  });

  it('judges by the content: a photo called .mp4 is a photo, dated by its file', async () => {
    const backend = await openBackend();
    const who = await send(backend, plain, { who: claimantOf(plain, 'mp4') });
    expect(await admit(who, backend)).toMatchObject({
      route: 'photo',
      media: { type: 'image/png', takenAt: '2020-01-02T03:04:05.000Z', place: null },
    });
  });

  it('knows a video, and keeps pictures that cannot be decoded yet, with the reason', async () => {
    const backend = await openBackend();
    const video = await send(backend, mp4);
    expect(await admit(video, backend)).toMatchObject({
      route: 'video',
      media: { kind: 'video', type: 'video/mp4', bytes: mp4.length },
    });
    const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1');
    expect(await admit(await send(backend, heic), backend)).toMatchObject({
      route: 'unreadable',
      reason: expect.stringMatching(/^Kept safely/),
    });
  });

  it.each([
    ['an empty file', Buffer.alloc(0), /empty/],
    ['an SVG called .jpg', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'), /no photo or video/],
    ['text', Buffer.from('hello'), /no photo or video/],
  ])('refuses %s', async (_, content, reason) => {
    const backend = await openBackend();
    const who = await send(backend, content);
    await expect(admit(who, backend)).rejects.toThrow(Permanent);
    await expect(admit(who, backend)).rejects.toThrow(reason);
    expect((await recordOf(backend, who))?.claim.execution).toBe(who.execution);
  });

  it('refuses content that is not what its name says', async () => {
    const backend = await openBackend();
    const who = await send(backend, sample, { who: claimantOf(plain) });
    await expect(admit(who, backend)).rejects.toThrow(/not the one that was sent/);
  });

  it('does not look again at what is finished, and says where the original belongs', async () => {
    const backend = await openBackend();
    const who = claimantOf(plain);
    await changeAsset(backend, who.library, who.asset, claim(who, 'a.png'));
    await changeAsset(backend, who.library, who.asset, finish(who, { outcome: { kind: 'analysed', category: 'failure' } }));
    const again = { ...who, execution: 'execution-2', version: 'v2' };
    expect(await admit(again, backend)).toEqual({ ...again, route: 'finished', ended: { destination: 'failure' } });
    expect(await recordOf(backend, who)).toMatchObject({ revision: 2, claim: { execution: who.execution } });
  });

  it('waits for an original that is not there: it may be on its way', async () => {
    const backend = await openBackend();
    const who = await send(backend, plain);
    await backend.s3.send(new DeleteObjectCommand({ Bucket: backend.names.inputBucket, Key: inboxKey(who) }));
    await expect(admit(who, backend)).rejects.toThrow(Transient);
    expect(await recordOf(backend, who)).toBeNull();
  });

  it('reads a long video without holding it in memory', async () => {
    const backend = await openBackend();
    const video = Buffer.concat([mp4, Buffer.alloc(300 * 1024 * 1024)]);
    const who = await send(backend, video);
    let most = 0;
    const before = process.memoryUsage().arrayBuffers;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }, 5);
    expect(await admit(who, backend)).toMatchObject({ route: 'video', media: { bytes: video.length } });
    clearInterval(watch);
    expect(most).toBeLessThan(220 * 1024 * 1024);
  });

  it('checks its input', async () => {
    await expect(async () => admit({ library: '../x' }, await openBackend())).rejects.toThrow(InvalidInput);
  });
});
