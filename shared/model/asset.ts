import * as v from 'valibot';
import { face, label, moderationLabel, textLine } from './label.ts';
import { match } from './rule.ts';

export type AssetId = string & { readonly brand: 'AssetId' };
export type LibraryId = string & { readonly brand: 'LibraryId' };

/** The SHA-256 of an asset's content, 64 lower-case hex digits. The content is the identity. */
export const assetId = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits'),
  v.transform((s) => s as AssetId),
);

/** One owner's assets. On AWS it is the Cognito identity id, which contains a colon. */
export const libraryId = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9:_-]{1,128}$/, 'must be 1–128 letters, digits, ":", "_" or "-"'),
  v.transform((s) => s as LibraryId),
);

/** What is kept beside the original for viewing, analysis and sharing: file name in the output bucket and its type. */
export const renditions = {
  thumb: { file: 'thumb.webp', type: 'image/webp' },
  preview: { file: 'preview.webp', type: 'image/webp' },
  analysis: { file: 'analysis.jpg', type: 'image/jpeg' },
  pixelated: { file: 'pixelated.jpg', type: 'image/jpeg' },
} as const;
export type Rendition = keyof typeof renditions;
export const rendition = v.picklist(Object.keys(renditions) as Rendition[]);

/** Sides, in cells, of the pixelation grids made of every picture (row P4). */
export const gridSizes = [8, 16, 32, 48, 64] as const;
export type GridSize = (typeof gridSizes)[number];
const gridOf = (size: GridSize) => ({ file: `grid-${size}x${size}.png`, type: 'image/png' });

/** All pictures of an asset in the output bucket. A grid has a pixel for each cell. */
export const pictures = {
  ...renditions,
  'grid-8': gridOf(8),
  'grid-16': gridOf(16),
  'grid-32': gridOf(32),
  'grid-48': gridOf(48),
  'grid-64': gridOf(64),
} as const;
export type PictureName = keyof typeof pictures;

/** What the content itself says, judged by its bytes and never by the file's name. Sizes in pixels, upright. */
export const media = v.object({
  kind: v.picklist(['photo', 'video']),
  /** True type by content, e.g. `image/jpeg`. */
  type: v.string(),
  bytes: v.number(),
  width: v.nullable(v.number()),
  height: v.nullable(v.number()),
  /** First frame of several was used. */
  animated: v.boolean(),
  /** How long a video takes, in milliseconds. Null: a photo, or not known (as by earlier versions). */
  durationMs: v.optional(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0))), null),
  /** ISO 8601, UTC. From EXIF (its offset, else taken as UTC), else the file's modification time. */
  takenAt: v.string(),
  camera: v.nullable(v.string()),
  place: v.nullable(v.object({ latitude: v.number(), longitude: v.number() })),
});
export type Media = v.InferOutput<typeof media>;

/**
 * How far the cloud got with an asset.
 * - pending: claimed by an execution; the only one that is not final
 * - analysed: seen; `success` when a rule matched, else `failure` (nothing matched, nothing wrong)
 * - kept: stored safely, not analysed yet, with the reason; `final` when another look at a video would find no more
 * - rejected: could not be processed; the original is under `rejected/`
 * - waiting: stored safely, and looked at when there is budget again, with the reason
 * - failed: tried too often; in the dead letters, can be tried again
 */
export const outcome = v.variant('kind', [
  v.object({ kind: v.literal('pending'), execution: v.string() }),
  v.object({ kind: v.literal('analysed'), category: v.picklist(['success', 'failure']) }),
  v.object({ kind: v.literal('kept'), reason: v.string(), final: v.exactOptional(v.literal(true)) }),
  v.object({ kind: v.literal('rejected'), reason: v.string() }),
  v.object({ kind: v.literal('waiting'), reason: v.string() }),
  v.object({ kind: v.literal('failed'), reason: v.string() }),
]);
export type Outcome = v.InferOutput<typeof outcome>;

/**
 * The record of one asset: one DynamoDB item, at most 32 KB.
 * `revision` only grows; `changedAt` (ISO) is stamped just before each final write and orders the `changes` index.
 * A record that was only claimed has neither media nor `changedAt`, so that the desktop never pulls it.
 */
export const assetRecord = v.object({
  library: libraryId,
  asset: assetId,
  ext: v.string(),
  /** The original's file name, for people; never used as a path or key. */
  name: v.nullable(v.string()),
  revision: v.pipe(v.number(), v.integer(), v.minValue(1)),
  changedAt: v.optional(v.string()),
  pipelineVersion: v.number(),
  outcome,
  media: v.nullable(media),
  /** Null: what is seen was not looked for, or the detector failed. */
  labels: v.nullable(v.array(label)),
  /** Null: faces were not looked for, or the detector failed; then there is no safe share. */
  faces: v.nullable(v.array(face)),
  /** In the order of reading. Null: text was not looked for (as by earlier versions), or the detector failed. */
  text: v.optional(v.nullable(v.array(textLine)), null),
  /** Null: as for `text`. */
  moderation: v.optional(v.nullable(v.array(moderationLabel)), null),
  /** Renditions that exist in the output bucket. */
  renditions: v.array(rendition),
  matches: v.array(match),
  /** Why the original still waits in the inbox although its outcome is known: the execution failed after that. In the dead letters. */
  unfiled: v.optional(v.string()),
});
export type AssetRecord = v.InferOutput<typeof assetRecord>;
