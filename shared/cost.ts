import * as v from 'valibot';
import priceFile from './prices.json' with { type: 'json' };

/** What Pixwatch's work costs on AWS, by one dated price file. Pure; the cap and the forecast use the same figures. */

/** What can be looked for in pictures, each switched on or off by itself. */
export const detectors = v.object({
  labels: v.optional(v.boolean(), true),
  text: v.optional(v.boolean(), true),
  faces: v.optional(v.boolean(), true),
  moderation: v.optional(v.boolean(), true),
});
export type Detectors = v.InferOutput<typeof detectors>;

/** The calls that Rekognition bills one by one, and what they look for: an image each, or a minute of video. */
export const paidApis = {
  DetectLabels: { detector: 'labels', unit: 'image' },
  DetectText: { detector: 'text', unit: 'image' },
  DetectFaces: { detector: 'faces', unit: 'image' },
  DetectModerationLabels: { detector: 'moderation', unit: 'image' },
  StartLabelDetection: { detector: 'labels', unit: 'videoMinute' },
} as const satisfies Record<string, { detector: keyof Detectors; unit: 'image' | 'videoMinute' }>;
export type PaidApi = keyof typeof paidApis;

const rate = v.optional(v.nullable(v.pipe(v.number(), v.minValue(0.01), v.maxValue(1000))), null);
export const callsPerSecond = v.object({
  DetectLabels: rate,
  DetectText: rate,
  DetectFaces: rate,
  DetectModerationLabels: rate,
  StartLabelDetection: rate,
} satisfies Record<PaidApi, unknown>);

const usd = v.pipe(v.number(), v.minValue(0));
const prices = v.parse(
  v.object({
    date: v.pipe(v.string(), v.isoDate()),
    sources: v.array(v.string()),
    regions: v.record(v.string(), v.object({ rekognition: v.object({ image: v.array(usd), videoMinute: usd }) })),
  }),
  priceFile,
);

const microPerUsd = 1_000_000;

/** US dollars as the whole millionths that are counted with. */
export const microDollars = (usd: number): number => Math.round(usd * microPerUsd);

/**
 * The price of one call in millionths of a US dollar, without discounts for many.
 * @param region of AWS, the dearest one when its prices are not known; null: calls cost nothing
 */
export function callPrice(api: PaidApi, region: string | null): number {
  if (region === null) return 0;
  const { unit } = paidApis[api];
  const of = ({ rekognition }: (typeof prices.regions)[string]) =>
    unit === 'image' ? (rekognition.image[0] ?? 0) : rekognition.videoMinute;
  const known = prices.regions[region];
  return microDollars(known ? of(known) : Math.max(...Object.values(prices.regions).map(of)));
}
