import { createHash } from 'node:crypto';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { isoTime } from '../../shared/clock.ts';
import { Permanent } from '../../shared/errors.ts';
import { inboxKey, originalMetadata } from '../../shared/keys.ts';
import type { Media } from '../../shared/model/asset.ts';
import { changeAsset, claim, destinationOf, isFinished, loadAsset } from './assets.ts';
import { exifOf } from './exif.ts';
import { headBytes, type MediaType, mediaTypeOf } from './mediaType.ts';
import { chunksOf, headOriginal, openOriginal, originalGone } from './objects.ts';
import { type Admitted, claimant, task } from './state.ts';

/** A photo is decoded in memory; a larger file than this is no photo that a camera made. */
const maxPhotoBytes = 200 * 1024 * 1024;

/**
 * A file is read to its end to prove that it is what its key says, which must be done within the 15 minutes that a function may take, at some 60 MB a second.
 * S3's own checksums of an upload in parts are no proof: its SHA-256 is that of the parts' hashes, its CRC64 can be made to fit.
 */
const maxBytes = 50e9;

const unreadableReason = 'Kept safely; pictures of this type are not analysed yet.';

/**
 * Takes an original on: claims its asset for this execution and judges the content. A finished asset is not looked at again, only its
 * original is still to be filed.
 * @throws Permanent when the content is no photo or video, or is not what its key says
 * @throws Transient when the original is not in the inbox and the asset not finished
 */
export const admit = task('Admit', claimant, async (who, backend): Promise<Admitted> => {
  const { library, asset, ext } = who;
  const known = await loadAsset(backend, library, asset);
  if (known && isFinished(known, who.version)) return { ...who, route: 'finished', ended: { destination: destinationOf(known) } };

  const key = inboxKey({ library, asset, ext });
  const head = await headOriginal(backend, key);
  if (!head) throw originalGone(key);
  const { name, modified } = originalMetadata.read(head.Metadata);
  const claimed = await changeAsset(backend, library, asset, claim(who, name));
  if (claimed && isFinished(claimed, who.version)) return { ...who, route: 'finished', ended: { destination: destinationOf(claimed) } };

  if ((head.ContentLength ?? 0) > maxBytes) throw new Permanent('The file is too large: at most 50 GB can be checked.');
  const content = await readContent(await openOriginal(backend, key), ext);
  if (content.sha256 !== asset) throw new Permanent('The stored file is not the one that was sent: its content does not match its name.');
  const changed = modified ?? head.LastModified?.toISOString() ?? isoTime(backend.clock);
  return { ...who, ...routeOf(content.type), media: mediaOf(content, changed) };
});

/** What one reading of a file tells. `photo` is its whole content when it is a photo. */
interface Content {
  readonly type: MediaType;
  readonly bytes: number;
  readonly sha256: string;
  readonly photo: Buffer | null;
}

/** Reads a file once, to its end; only a photo is held in memory. */
async function readContent(opened: GetObjectCommandOutput, ext: string): Promise<Content> {
  const hash = createHash('sha256');
  let kept: Uint8Array[] = [];
  let bytes = 0;
  let type: MediaType | null = null;
  for await (const chunk of chunksOf(opened)) {
    hash.update(chunk);
    bytes += chunk.length;
    kept.push(chunk);
    if (bytes < headBytes) continue;
    type ??= typeOf(Buffer.concat(kept), ext);
    if (type.kind === 'video') kept = [];
    else if (bytes > maxPhotoBytes) throw new Permanent('The picture is too large: at most 200 MB can be processed.');
  }
  if (bytes === 0) throw new Permanent('The file is empty.');
  type ??= typeOf(Buffer.concat(kept), ext);
  return { type, bytes, sha256: hash.digest('hex'), photo: type.kind === 'photo' ? Buffer.concat(kept) : null };
}

function typeOf(head: Buffer, ext: string): MediaType {
  const type = mediaTypeOf(head, ext);
  if (!type) throw new Permanent('The file is no photo or video that Pixwatch knows, whatever its name says.');
  return type;
}

/** Where a file of this type goes on. */
function routeOf({ kind, readable }: MediaType) {
  if (kind === 'video') return { route: 'video' } as const;
  return readable ? ({ route: 'photo' } as const) : ({ route: 'unreadable', reason: unreadableReason } as const);
}

/** What is known before the picture is decoded. `changed` stands in for a photo's own date. */
function mediaOf({ type, bytes, photo }: Content, changed: string): Media {
  const { takenAt, camera, place } = photo ? exifOf(photo) : { takenAt: null, camera: null, place: null };
  const unknown = { width: null, height: null, animated: false, durationMs: null };
  return { kind: type.kind, type: type.type, bytes, ...unknown, takenAt: takenAt ?? new Date(changed).toISOString(), camera, place };
}
