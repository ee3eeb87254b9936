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

/** Something seen in a picture. `parents` are wider labels ("Dog" → "Canine", "Animal"); `instances` say where. */
export const label = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
  confidence,
  parents: v.array(v.string()),
  categories: v.array(v.string()),
  instances: v.array(v.object({ box: boundingBox, confidence })),
});
export type Label = v.InferOutput<typeof label>;

export const face = v.object({ box: boundingBox, confidence });
export type Face = v.InferOutput<typeof face>;

/** How label names are compared everywhere: case, accents' form and outer space do not matter. */
export function normaliseLabel(name: string): string {
  return name.normalize('NFC').trim().toLowerCase();
}
