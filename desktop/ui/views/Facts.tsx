import type { Media } from '../../../shared/model/asset.ts';
import { formatBytes, formatPlace, formatTaken, formatTimecode } from '../format.ts';
import { locale, messages } from '../messages.ts';

/** What the file itself says about the photo or video. */
export function Facts({ media }: { media: Media }) {
  const { kind, width, height, bytes, durationMs, camera, place, type, animated, takenAt } = media;
  const pixels = width && height ? `${width.toLocaleString(locale)} × ${height.toLocaleString(locale)} px, ` : '';
  const facts = [
    { name: messages.photo.taken, value: formatTaken(takenAt) },
    ...(kind === 'video'
      ? [{ name: messages.photo.duration, value: durationMs === null ? messages.photo.unknown : formatTimecode(durationMs) }]
      : []),
    { name: messages.photo.camera, value: camera ?? messages.photo.unknown },
    { name: messages.photo.size, value: pixels + formatBytes(bytes) },
    { name: messages.photo.place, value: place ? formatPlace(place) : messages.photo.unknown },
    { name: messages.photo.type, value: animated ? `${type}, ${messages.photo.firstFrame}` : type },
  ];
  return (
    <section>
      <h3>{messages.photo.facts}</h3>
      <dl className="facts">
        {facts.map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
