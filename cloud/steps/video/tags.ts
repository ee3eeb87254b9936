import type { Media } from '../../../shared/model/asset.ts';

/** What a video says about its making; null what it does not say. `takenAt` as ISO 8601, UTC. */
export type TagFacts = { readonly takenAt: string | null } & Pick<Media, 'camera' | 'place'>;

type Tags = Readonly<Record<string, string>>;

/**
 * Reads the tags that phones and cameras write: Apple's keys (https://developer.apple.com/documentation/quicktime-file-format), and those of
 * QuickTime's user data, which Android uses.
 * @param createdAt what the container itself says, without an offset
 */
export function tagsOf(tags: Tags, createdAt: string | null): TagFacts {
  return { takenAt: isoOf(tags['com.apple.quicktime.creationdate']) ?? createdAt, camera: cameraOf(tags), place: placeOf(tags) };
}

/** `2024-05-17T11:30:00+0200` in UTC. */
function isoOf(date = ''): string | null {
  const time = Date.parse(date.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

function cameraOf(tags: Tags): string | null {
  const textOf = (apple: string, other: string) => (tags[`com.apple.quicktime.${apple}`] ?? tags[other] ?? '').trim();
  const make = textOf('make', '©mak');
  const model = textOf('model', '©mod');
  const camera = model.toLowerCase().startsWith(make.toLowerCase()) ? model : `${make} ${model}`.trim();
  return camera.slice(0, 100) || null;
}

/** ISO 6709: `+48.8577+002.2950+035/`. */
function placeOf(tags: Tags): Media['place'] {
  const text = tags['com.apple.quicktime.location.ISO6709'] ?? tags['©xyz'] ?? '';
  const [, latitude, longitude] = /^([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)/.exec(text) ?? [];
  const place = { latitude: Number(latitude), longitude: Number(longitude) };
  const isPlace = Math.abs(place.latitude) <= 90 && Math.abs(place.longitude) <= 180;
  return isPlace && (place.latitude !== 0 || place.longitude !== 0) ? place : null;
}
