import ExifReader, { type ExpandedTags } from 'exifreader';
import type { Media } from '../../shared/model/asset.ts';

/** What a photo says about its making; null what it does not say. `takenAt` as ISO 8601, UTC. */
export type ExifFacts = { readonly takenAt: string | null } & Pick<Media, 'camera' | 'place'>;

const none: ExifFacts = { takenAt: null, camera: null, place: null };

/** Reads a photo's EXIF. Damaged EXIF is as good as none: the picture itself may be fine. */
export function exifOf(photo: Buffer): ExifFacts {
  let tags: ExpandedTags;
  try {
    tags = ExifReader.load(photo, { expanded: true, includeTags: { exif: true, gps: true } });
  } catch {
    return none;
  }
  return { takenAt: takenAtOf(tags), camera: cameraOf(tags), place: placeOf(tags) };
}

function textOf(tags: ExpandedTags, name: string): string {
  const description: unknown = tags.exif?.[name as 'DateTime']?.description;
  return typeof description === 'string' ? description.split('\0').join(' ').replace(/\s+/g, ' ').trim() : '';
}

/** The moment of exposure, else of digitising, else of the last change; each has its own offset (Exif 2.31, 4.6.5). */
function takenAtOf(tags: ExpandedTags): string | null {
  const dates = [
    ['DateTimeOriginal', 'OffsetTimeOriginal'],
    ['DateTimeDigitized', 'OffsetTimeDigitized'],
    ['DateTime', 'OffsetTime'],
  ] as const;
  for (const [date, offset] of dates) {
    const taken = isoOf(textOf(tags, date), textOf(tags, offset));
    if (taken) return taken;
  }
  return null;
}

/** `2024:05:17 09:30:00` with an offset like `+02:00` as ISO 8601 in UTC; without an offset it is taken as UTC. */
function isoOf(date: string, offset: string): string | null {
  const parts = /^(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)/.exec(date);
  if (!parts) return null;
  const [, year, month, day, hour, minute, second] = parts;
  const zone = /^[+-]\d\d:\d\d$/.test(offset) ? offset : 'Z';
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

function cameraOf(tags: ExpandedTags): string | null {
  const make = textOf(tags, 'Make');
  const model = textOf(tags, 'Model');
  // Many makers repeat their name in the model: "Canon", "Canon EOS 5D".
  const camera = model.toLowerCase().startsWith(make.toLowerCase()) ? model : `${make} ${model}`.trim();
  return camera.slice(0, 100) || null;
}

function placeOf(tags: ExpandedTags): Media['place'] {
  const { Latitude: latitude, Longitude: longitude } = tags.gps ?? {};
  if (latitude === undefined || longitude === undefined) return null;
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return null;
  // Receivers without a fix write zeros.
  return latitude === 0 && longitude === 0 ? null : { latitude, longitude };
}
