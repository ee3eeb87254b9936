import { messageOf, Permanent } from '../../shared/errors.ts';
import { inboxKey, renditionKey } from '../../shared/keys.ts';
import { type Media, renditions } from '../../shared/model/asset.ts';
import type { Backend } from './backend.ts';
import { rangesOf, writeOutput } from './objects.ts';
import { isOn } from './paidCall.ts';
import { encodePreviews, previewSide } from './pictures.ts';
import { admitted, type Rendered, task } from './state.ts';
import { type Frame, openVideo, type Video, type VideoFacts } from './video/openVideo.ts';

/** What Poster answers. The state machine chooses by `route`. */
export type Postered = Rendered & ({ readonly route: 'labels' } | Kept);

/** `final`: another look would find no more. */
type Kept = { readonly route: 'keep'; readonly reason: string; readonly final?: true };

/**
 * Finds out what a video says about itself and makes its thumb and preview of one of its frames. It reads a few MB, however long the video is. One that cannot be
 * looked into is kept, with the reason.
 */
export const poster = task('Poster', admitted, async (state, backend): Promise<Postered> => {
  const { library, asset, media } = state;
  const nothing = { width: null, height: null, animated: false, durationMs: null, renditions: [] };
  const video = await openVideo(rangesOf(backend, inboxKey(state), media.bytes)).catch(asReason);
  if (typeof video === 'string') return { ...nothing, ...keptFor(video), final: true };
  try {
    const { codec, takenAt, ...facts } = video.facts;
    const learned = { ...facts, ...(takenAt && { takenAt }), animated: false };
    const frame = await shownFrame(video).catch(asReason);
    if (typeof frame === 'string') return { ...learned, renditions: [], ...keptFor(frame) };
    const made = await encodePreviews(frame);
    const write = (name: 'thumb' | 'preview') =>
      writeOutput(backend, renditionKey(library, asset, name), renditions[name].type, made[name]);
    await Promise.all([write('thumb'), write('preview')]);
    return { ...learned, renditions: ['thumb', 'preview'], ...(whyWithoutLabels(backend, media, codec) ?? { route: 'labels' }) };
  } finally {
    await video.close();
  }
});

/** Films often begin in the dark. */
const introMs = 10_000;

/** A frame a little after the beginning; the first one when that is damaged. */
async function shownFrame({ facts, frameAt }: Video): Promise<Frame> {
  const atMs = Math.min(facts.durationMs / 10, introMs);
  return frameAt(atMs, previewSide).catch((thrown: unknown) => {
    if (thrown instanceof Permanent) return frameAt(0, previewSide);
    throw thrown;
  });
}

/** @returns why a video cannot be looked into; throws what is no fault of its */
function asReason(thrown: unknown): string {
  if (thrown instanceof Permanent) return messageOf(thrown);
  throw thrown;
}

const keptFor = (reason: string): Kept => ({ route: 'keep', reason: `Kept safely, but nothing of the video can be shown: ${reason}.` });

/** https://docs.aws.amazon.com/rekognition/latest/dg/limits.html and https://docs.aws.amazon.com/rekognition/latest/dg/video.html */
const forRekognition = { codec: 'avc', types: ['video/mp4', 'video/quicktime'], maxBytes: 10 * 1024 ** 3 };

/** Why labels are not asked for; null: they are. */
function whyWithoutLabels(backend: Backend, { type, bytes }: Media, codec: VideoFacts['codec']): Kept | null {
  const kept = (reason: string) => ({ route: 'keep', reason: `Kept safely; ${reason}.` }) as const;
  const isFit = codec === forRekognition.codec && forRekognition.types.includes(type);
  if (!isFit) return { ...kept('labels are looked for in MP4 and MOV videos with the codec H.264 only'), final: true };
  if (bytes > forRekognition.maxBytes) return { ...kept('labels are looked for in videos of up to 10 GB'), final: true };
  return isOn(backend, 'StartLabelDetection') ? null : kept('looking for labels in videos is switched off');
}
