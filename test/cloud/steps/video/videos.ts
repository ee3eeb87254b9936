import { readFile } from 'node:fs/promises';
import {
  BufferSource,
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  Input,
  MkvOutputFormat,
  MovOutputFormat,
  MP4,
  Mp4OutputFormat,
  MpegTsOutputFormat,
  Output,
  type OutputFormat,
} from 'mediabunny';

/**
 * A dog for four seconds, then a frog for four, 480 × 320, five frames a second, a key frame every two seconds (of two photos of apeman-asset-images,
 * MIT). Only the H.264 one has a date: 17 May 2024, 9:30 UTC. It and the VP9 one have sound.
 */
export const clip = (codec: 'h264' | 'hevc' | 'vp9'): Promise<Buffer> => {
  const ext = { h264: 'mp4', hevc: 'mov', vp9: 'webm' }[codec];
  return readFile(new URL(`../../../fixtures/dog-frog-${codec}.${ext}`, import.meta.url));
};

/** One frame of the dog, of what else there is: by FFmpeg. That in HLG (high dynamic range) is 240 × 160, the others 120 × 80. */
export const still = (name: 'hlg.mov' | 'prores.mov' | 'vp8.webm' | 'av1.mp4' | 'mpeg4.mp4' | 'mpeg4.avi'): Promise<Buffer> =>
  readFile(new URL(`../../../fixtures/dog-${name}`, import.meta.url));

/** A film that was stopped before its first frame. */
export const noFrames = (): Promise<Buffer> => readFile(new URL('../../../fixtures/no-frames.mp4', import.meta.url));

const formats = {
  mp4: () => new Mp4OutputFormat(),
  fragments: () => new Mp4OutputFormat({ fastStart: 'fragmented' }),
  ts: () => new MpegTsOutputFormat(),
  mov: () => new MovOutputFormat({ metadataFormat: 'mdta' }),
  mkv: () => new MkvOutputFormat(),
} satisfies Record<string, () => OutputFormat>;

interface Wrapping {
  readonly into: keyof typeof formats;
  readonly rotation?: 0 | 90 | 180 | 270;
  readonly tracks?: readonly ('video' | 'audio')[];
  readonly tags?: Readonly<Record<string, string>>;
}

/** The frames of the H.264 clip in another file, as they are. */
export async function wrapped({ into, rotation = 0, tracks = ['video', 'audio'], tags = {} }: Wrapping): Promise<Buffer> {
  const input = new Input({ formats: [MP4], source: new BufferSource(await clip('h264')) });
  const target = new BufferTarget();
  const output = new Output({ format: formats[into](), target });
  const [video, audio] = [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()];
  if (!video || !audio) throw new Error('the clip lacks a track');
  const [frames, sounds] = [new EncodedVideoPacketSource('avc'), new EncodedAudioPacketSource('aac')];
  if (tracks.includes('video')) output.addVideoTrack(frames, { rotation });
  if (tracks.includes('audio')) output.addAudioTrack(sounds);
  output.setMetadataTags({ raw: tags });
  await output.start();
  if (tracks.includes('video')) {
    const decoderConfig = await video.getDecoderConfig();
    if (!decoderConfig) throw new Error('the clip cannot be decoded');
    for await (const packet of new EncodedPacketSink(video).packets()) await frames.add(packet, { decoderConfig });
    frames.close();
  }
  if (tracks.includes('audio')) {
    const decoderConfig = await audio.getDecoderConfig();
    if (!decoderConfig) throw new Error('the clip cannot be decoded');
    for await (const packet of new EncodedPacketSink(audio).packets()) await sounds.add(packet, { decoderConfig });
    sounds.close();
  }
  await output.finalize();
  return Buffer.from(target.buffer ?? new ArrayBuffer());
}
