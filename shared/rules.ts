import { assertNever } from './errors.ts';
import type { Media } from './model/asset.ts';
import { type Label, type ModerationLabel, normaliseLabel, type TextLine, wordsOf } from './model/label.ts';
import type { Condition, Match, Rule } from './model/rule.ts';

/** What a rule is judged on. Null: not known, which meets no condition. */
export interface Judged {
  readonly labels: readonly Label[] | null;
  readonly text: readonly TextLine[] | null;
  readonly moderation: readonly ModerationLabel[] | null;
  readonly media: Pick<Media, 'takenAt' | 'place'> | null;
}

/**
 * The one judge of rules. The cloud stores its verdict in the record; the desktop uses it for the dry run only.
 * @returns a match for every rule that is met and not deleted, in the order of `rules`
 */
export function matchRules(judged: Judged, rules: readonly Rule[]): Match[] {
  return rules.flatMap((rule) => {
    const because = rule.deleted ? null : reasonFor(rule.condition, judged);
    return because === null ? [] : [{ rule: rule.id, revision: rule.revision, name: rule.name, because, notify: rule.notify }];
  });
}

/** Why the condition holds, for people; null when it does not. */
export function reasonFor(condition: Condition, judged: Judged): string | null {
  switch (condition.kind) {
    case 'label':
      return labelReason(condition, judged.labels ?? []);
    case 'text':
      return textReason(condition, judged.text ?? []);
    case 'moderation':
      return moderationReason(condition, judged.moderation ?? []);
    case 'place':
      return placeReason(condition, judged.media?.place ?? null);
    case 'taken':
    case 'hours':
      return timeReason(condition, judged.media?.takenAt ?? null);
    case 'all': {
      const reasons = condition.conditions.map((single) => reasonFor(single, judged));
      return reasons.includes(null) ? null : reasons.join(', ');
    }
    default:
      return assertNever(condition);
  }
}

type Kind<K extends Condition['kind']> = Extract<Condition, { kind: K }>;

const percent = (confidence: number) => `${Math.floor(confidence)} %`;

function labelReason({ label, minConfidence, minCount }: Kind<'label'>, labels: readonly Label[]): string | null {
  const wanted = normaliseLabel(label);
  const found = labels.find((l) => normaliseLabel(l.name) === wanted && l.confidence >= minConfidence);
  if (!found) return null;
  if (minCount === undefined) return `${found.name} ${percent(found.confidence)}`;
  const count = found.instances.filter(({ confidence }) => confidence >= minConfidence).length;
  return count >= minCount ? `${count} × ${found.name}` : null;
}

function textReason({ text }: Kind<'text'>, lines: readonly TextLine[]): string | null {
  const all = wordsOf(lines.map((line) => line.text).join(' '));
  return all.includes(wordsOf(text)) ? `text “${text}”` : null;
}

function moderationReason({ label, minConfidence }: Kind<'moderation'>, found: readonly ModerationLabel[]): string | null {
  const fitting = found.filter(({ name, confidence }) => {
    return confidence >= minConfidence && (label === null || normaliseLabel(name) === normaliseLabel(label));
  });
  // The narrowest says most.
  const [told] = fitting.toSorted((a, b) => b.parents.length - a.parents.length || b.confidence - a.confidence);
  return told ? `${told.name} ${percent(told.confidence)}` : null;
}

function placeReason({ withinKm, ...centre }: Kind<'place'>, place: Media['place']): string | null {
  const km = place && kilometres(centre, place);
  return km !== null && km <= withinKm ? `${km < 10 ? km.toFixed(1) : Math.round(km)} km away` : null;
}

interface Position {
  readonly latitude: number;
  readonly longitude: number;
}

const earthRadiusKm = 6371;

/** The distance over the surface of the earth, taken as a sphere (haversine formula): right to 0.5 %. */
function kilometres(a: Position, b: Position): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const halfChord = (from: number, to: number) => Math.sin(radians(to - from) / 2) ** 2;
  const along = Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * halfChord(a.longitude, b.longitude);
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(halfChord(a.latitude, b.latitude) + along)));
}

/** A photo's time is taken as its record writes it: cameras know no time zone. */
function timeReason(condition: Kind<'taken'> | Kind<'hours'>, takenAt: string | null): string | null {
  if (takenAt === null || Number.isNaN(Date.parse(takenAt))) return null;
  const [day = '', time = ''] = new Date(takenAt).toISOString().split('T');
  if (condition.kind === 'taken') {
    const { from, to } = condition;
    return (from === null || day >= from) && (to === null || day <= to) ? `taken on ${day}` : null;
  }
  const { from, until } = condition;
  const hour = Number(time.slice(0, 2));
  const isWithin = from < until ? hour >= from && hour < until : hour >= from || hour < until;
  return isWithin ? `taken at ${time.slice(0, 5)}` : null;
}
