import { Permanent } from '../../../../shared/errors.ts';
import { fromPixels } from '../../../steps/pixels.ts';
import { type Frame, openVideo, type Video, type VideoSource } from '../../../steps/video/openVideo.ts';
import type { FoundLabel } from '../labels.ts';

/** What was found in a video, in Rekognition's terms. */
export interface VideoAnswer {
  readonly durationMs: number;
  readonly width: number;
  readonly height: number;
  readonly codec: string;
  readonly labels: readonly Appearance[];
}

/** A label from one moment until another, in milliseconds. */
export interface Appearance {
  readonly label: Omit<FoundLabel, 'instances'>;
  readonly startMs: number;
  readonly endMs: number;
}

/** As near together as Rekognition's own examples; a longer video is looked at as often, further apart. */
const everyMs = 2_000;
const mostFrames = 30;
/** As the models see it. */
const frameSide = 1024;

/**
 * Looks at some frames of a video, evenly over its length.
 * @param labelsOf what a JPEG shows
 * @throws Permanent when it cannot be looked into
 */
export async function lookAtVideo(
  source: VideoSource,
  minConfidence: number,
  labelsOf: (jpeg: Buffer) => Promise<readonly FoundLabel[]>,
): Promise<VideoAnswer> {
  const video = await openVideo(source);
  try {
    const { durationMs, width, height, codec } = video.facts;
    const seen: Moment[] = [];
    let failed: unknown;
    for (const atMs of momentsOf(durationMs)) {
      const frame = await frameOrNull(video, atMs, (thrown) => {
        failed = thrown;
      });
      // Where key frames are far apart one stands for several moments.
      if (!frame || frame.atMs === seen.at(-1)?.atMs) continue;
      const labels = await labelsOf(await fromPixels(frame).jpeg({ quality: 90 }).toBuffer());
      seen.push({ atMs: frame.atMs, labels: labels.filter(({ confidence }) => confidence >= minConfidence) });
    }
    if (seen.length === 0) throw failed ?? new Permanent('nothing of it can be decoded');
    return { durationMs, width, height, codec: codec ?? 'unknown', labels: appearancesOf(seen, durationMs) };
  } finally {
    await video.close();
  }
}

/** A frame that is damaged takes nothing from the others. */
async function frameOrNull(video: Video, atMs: number, onDamaged: (thrown: Permanent) => void): Promise<Frame | null> {
  try {
    return await video.frameAt(atMs, frameSide);
  } catch (thrown) {
    if (!(thrown instanceof Permanent)) throw thrown;
    onDamaged(thrown);
    return null;
  }
}

/** When to look, in milliseconds. */
export function momentsOf(durationMs: number): number[] {
  const count = Math.min(mostFrames, Math.max(1, Math.ceil(durationMs / everyMs)));
  return Array.from({ length: count }, (_, i) => Math.round((i * durationMs) / count));
}

interface Moment {
  readonly atMs: number;
  readonly labels: readonly FoundLabel[];
}

/** What is seen at moments in a row is one appearance, as sure as it is at its surest; in the order of time. */
export function appearancesOf(moments: readonly Moment[], durationMs: number): Appearance[] {
  const ended: Appearance[] = [];
  let running = new Map<string, Appearance>();
  for (const [i, { atMs, labels }] of moments.entries()) {
    const endMs = moments[i + 1]?.atMs ?? Math.max(durationMs, atMs);
    const now = new Map<string, Appearance>();
    for (const { instances: _, ...label } of labels) {
      const before = running.get(label.name);
      const surest = before && before.label.confidence >= label.confidence ? before.label : label;
      now.set(label.name, { label: surest, startMs: before?.startMs ?? atMs, endMs });
    }
    ended.push(...[...running.values()].filter(({ label }) => !now.has(label.name)));
    running = now;
  }
  return [...ended, ...running.values()].toSorted((a, b) => a.startMs - b.startMs || b.label.confidence - a.label.confidence);
}
