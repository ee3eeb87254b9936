import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { admit } from '../../../cloud/steps/admit.ts';
import type { Backend } from '../../../cloud/steps/backend.ts';
import { poster } from '../../../cloud/steps/poster.ts';
import { Transient } from '../../../shared/errors.ts';
import { claimantOf, contentOf, keysIn, openBackend, send } from './openBackend.ts';
import { clip, wrapped } from './video/videos.ts';

/** What Poster answers for a film that was sent. */
async function posterOf(backend: Backend, film: Buffer, ext: string) {
  const state = await admit(await send(backend, film, { who: claimantOf(film, ext) }), backend);
  return { state, answer: await poster(state, backend) };
}

const described = { width: 480, height: 320, animated: false, camera: null, place: null };
const onlyH264 = 'Kept safely; labels are looked for in MP4 and MOV videos with the codec H.264 only.';

describe('poster', () => {
  it('describes a film and makes its pictures, the same ones each time', async () => {
    const backend = await openBackend();
    const { state, answer } = await posterOf(backend, await clip('h264'), 'mp4');
    const expected = {
      ...described,
      durationMs: 8000,
      takenAt: '2024-05-17T09:30:00.000Z',
      renditions: ['thumb', 'preview'],
      route: 'labels',
    };
    expect(answer).toEqual(expected);
    const keys = ['preview', 'thumb'].map((name) => `local/${state.asset}/${name}.webp`);
    expect(await keysIn(backend, backend.names.outputBucket)).toEqual(keys);
    const pictures = async () => Promise.all(keys.map((key) => contentOf(backend, backend.names.outputBucket, key)));
    const before = await pictures();
    const sizes = await Promise.all(
      before.map(async (picture) => (({ width, height }) => [width, height])(await sharp(picture).metadata())),
    );
    expect(sizes).toEqual([
      [480, 320],
      [320, 213],
    ]);
    expect(await poster(state, backend)).toEqual(expected);
    expect(await pictures()).toEqual(before);
  });

  it.each([
    ['hevc', 'mov'],
    ['vp9', 'webm'],
  ] as const)('shows %s, of which labels are not asked for', async (codec, ext) => {
    const backend = await openBackend();
    const { answer } = await posterOf(backend, await clip(codec), ext);
    expect(answer).toMatchObject({ ...described, renditions: ['thumb', 'preview'], route: 'keep', reason: onlyH264, final: true });
  });

  it('does not ask for labels of H.264 in a file that Rekognition does not take, nor when labels are off', async () => {
    const mkv = await posterOf(await openBackend(), await wrapped({ into: 'mkv' }), 'mkv');
    expect(mkv.answer).toMatchObject({ durationMs: 8000, route: 'keep', reason: onlyH264 });
    const off = await openBackend({}, { detectors: { labels: true, text: true, faces: true, moderation: true, videoLabels: false } });
    const { answer } = await posterOf(off, await clip('h264'), 'mp4');
    expect(answer).toMatchObject({
      renditions: ['thumb', 'preview'],
      route: 'keep',
      reason: 'Kept safely; looking for labels in videos is switched off.',
    });
  });

  it.each([
    ['cut off', async () => (await clip('h264')).subarray(0, 50_000), /damaged or incomplete/],
    ['of sound alone', () => wrapped({ into: 'mp4', tracks: ['audio'] }), /only sound/],
  ])('keeps a film that is %s, with the reason', async (_, film, reason) => {
    const backend = await openBackend();
    const { answer } = await posterOf(backend, await film(), 'mp4');
    const unknown = { width: null, height: null, animated: false, durationMs: null, renditions: [] };
    expect(answer).toEqual({ ...unknown, route: 'keep', reason: expect.stringMatching(reason), final: true });
    expect(await keysIn(backend, backend.names.outputBucket)).toEqual([]);
  });

  it('is tried again when the original is not there at the moment', async () => {
    const backend = await openBackend();
    const film = await clip('h264');
    const { state } = await posterOf(backend, film, 'mp4');
    const other = claimantOf(Buffer.concat([film, Buffer.from('x')]), 'mp4');
    await expect(poster({ ...state, ...other }, backend)).rejects.toThrow(Transient);
  });
});
