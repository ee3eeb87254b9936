import * as v from 'valibot';

/** A confidence in percent, 0–100, as Rekognition gives it. */
export const confidence = v.pipe(v.number(), v.minValue(0), v.maxValue(100));

/** A rectangle in ratios of the upright picture's width and height, 0–1 (Rekognition's BoundingBox). */
export const boundingBox = v.object({
  left: v.number(),
  top: v.number(),
  width: v.number(),
  height: v.number(),
});
export type BoundingBox = v.InferOutput<typeof boundingBox>;

/** So many moments of a label are kept in a video's record, the first ones. */
export const maxTimes = 20;

/**
 * Something seen in a picture. `parents` are wider labels ("Dog" → "Canine", "Animal"); `instances` say where. `times`, of a video only, say
 * when: milliseconds from its beginning, ascending. A video's label has no instances: its picture shows one moment of many.
 */
export const label = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
  confidence,
  parents: v.array(v.string()),
  categories: v.array(v.string()),
  instances: v.array(v.object({ box: boundingBox, confidence })),
  times: v.optional(v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(0))), v.maxLength(maxTimes))),
});
export type Label = v.InferOutput<typeof label>;

export const face = v.object({ box: boundingBox, confidence });
export type Face = v.InferOutput<typeof face>;

/** One line of text as it stands in the picture. */
export const textLine = v.object({ text: v.pipe(v.string(), v.minLength(1)), confidence, box: boundingBox });
export type TextLine = v.InferOutput<typeof textLine>;

/** Something that is not for everybody's eyes. `parents` are the wider moderation labels, which are found besides ("Explicit Nudity" → "Explicit"). */
export const moderationLabel = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
  confidence,
  parents: v.array(v.string()),
});
export type ModerationLabel = v.InferOutput<typeof moderationLabel>;

/** How label names are compared everywhere: case, accents' form and outer space do not matter. */
export function normaliseLabel(name: string): string {
  return name.normalize('NFC').trim().toLowerCase();
}

/**
 * The words of a text as texts are compared everywhere: runs of letters and digits, without case and accents, one space around each.
 * A text holds another one's words when this holds the other's.
 */
export function wordsOf(text: string): string {
  const plain = text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  return ` ${(plain.match(/[\p{L}\p{N}]+/gu) ?? []).join(' ')} `;
}
