import * as v from 'valibot';
import priceFile from './prices.json' with { type: 'json' };

/** What Pixwatch's work costs on AWS, by one dated price file. Pure; the cap and the forecast use the same figures. */

const isOn = v.optional(v.boolean(), true);
/** What can be looked for, each switched on or off by itself: in photos, and labels in videos, which are paid by the minute. */
export const detectorSwitches = {
  labels: isOn,
  text: isOn,
  faces: isOn,
  moderation: isOn,
  /** As `labels` when nothing is said of it, so that who had switched those off does not pay for videos. */
  videoLabels: v.optional(v.boolean()),
};
const chosen = v.object(detectorSwitches);
export const completeDetectors = v.transform(({ videoLabels, ...others }: v.InferOutput<typeof chosen>) => ({
  ...others,
  videoLabels: videoLabels ?? others.labels,
}));
export const detectors = v.pipe(chosen, completeDetectors);
export type Detectors = v.InferOutput<typeof detectors>;

/** The calls that Rekognition bills one by one, and what they look for: an image each, or a minute of video. */
export const paidApis = {
  DetectLabels: { detector: 'labels', unit: 'image' },
  DetectText: { detector: 'text', unit: 'image' },
  DetectFaces: { detector: 'faces', unit: 'image' },
  DetectModerationLabels: { detector: 'moderation', unit: 'image' },
  StartLabelDetection: { detector: 'videoLabels', unit: 'videoMinute' },
} as const satisfies Record<string, { detector: keyof Detectors; unit: 'image' | 'videoMinute' }>;
export type PaidApi = keyof typeof paidApis;

/** The calls of which Rekognition takes so many a second: those that it bills, and that for what was found in a video, page by page. */
export type LimitedApi = PaidApi | 'GetLabelDetection';

export const mostCallsPerSecond = 1000;
/** Null: as often as they like. */
export const callRate = v.nullable(v.pipe(v.number(), v.minValue(0.01), v.maxValue(mostCallsPerSecond)));
const unlimited = v.optional(callRate, null);
export const callsPerSecond = v.object({
  DetectLabels: unlimited,
  DetectText: unlimited,
  DetectFaces: unlimited,
  DetectModerationLabels: unlimited,
  StartLabelDetection: unlimited,
  GetLabelDetection: unlimited,
} satisfies Record<LimitedApi, unknown>);
export type CallsPerSecond = v.InferOutput<typeof callsPerSecond>;

/** What AWS bills, in its own units: requests, GB-months, GB-seconds, images, minutes. The keys of the price file, and Rekognition's APIs. */
const prices = {
  image: null,
  videoMinute: null,
  s3Puts: 'S3',
  s3Gets: 'S3',
  standardGb: 'S3',
  glacierGb: 'S3',
  toGlacier: 'S3',
  lambdaRequests: 'Lambda',
  lambdaGbSeconds: 'Lambda',
  stateTransitions: 'Step Functions',
  writeUnits: 'DynamoDB',
  readUnits: 'DynamoDB',
  tableGb: 'DynamoDB',
  backupGb: 'DynamoDB',
  sqsRequests: 'SQS',
  events: 'EventBridge',
  schedules: 'EventBridge',
  logGb: 'CloudWatch and X-Ray',
  traces: 'CloudWatch and X-Ray',
  alarmMetrics: 'CloudWatch and X-Ray',
  dashboards: 'CloudWatch and X-Ray',
} as const;
type PriceName = keyof typeof prices;
type Item = Exclude<PriceName, 'image' | 'videoMinute'> | PaidApi;
export type Service = NonNullable<(typeof prices)[PriceName]> | 'Rekognition';

/** How much of what is billed. */
export type Counts = Readonly<Partial<Record<Item, number>>>;

const usd = v.pipe(v.number(), v.minValue(0));
type Prices = Readonly<Record<PriceName, number>>;
const file = v.parse(
  v.object({
    /** Of the newest source. */
    date: v.pipe(v.string(), v.isoDate()),
    sources: v.array(v.string()),
    /** In a month, the images of an API after the first `from` cost `factor` of the price. */
    imageTiers: v.array(v.object({ from: v.number(), factor: v.number() })),
    regions: v.record(
      v.string(),
      v.object(Object.fromEntries(Object.keys(prices).map((name) => [name, usd])) as Record<PriceName, typeof usd>),
    ),
  }),
  priceFile,
);
export const priceDate = file.date;

const dearest = Object.fromEntries(
  (Object.keys(prices) as PriceName[]).map((name) => [name, Math.max(...Object.values(file.regions).map((region) => region[name]))]),
) as Prices;

/** Whether a region's own prices are known; else the dearest of each is taken. */
export const isPriced = (region: string): boolean => Object.hasOwn(file.regions, region);

const pricesOf = (region: string): Prices => file.regions[region] ?? dearest;

const microPerUsd = 1_000_000;

/** US dollars as the whole millionths that are counted with. */
export const microDollars = (amount: number): number => Math.round(amount * microPerUsd);

/** The inverse of `microDollars`. */
export const dollars = (micro: number): number => micro / microPerUsd;

/**
 * The price of one call in millionths of a US dollar, without discounts for many.
 * @param region of AWS, the dearest one when its prices are not known; null: calls cost nothing
 */
export function callPrice(api: PaidApi, region: string | null): number {
  return region === null ? 0 : microDollars(pricesOf(region)[paidApis[api].unit]);
}

/** The minutes of a video that are counted: those begun, one at least. @param durationMs null: not known */
export const videoMinutes = (durationMs: number | null): number => Math.max(1, Math.ceil((durationMs ?? 0) / 60_000));

/** What counts cost by service, in US dollars. @param counts of one month, as discounts are */
export function moneyOf(counts: Counts, region: string): Partial<Record<Service, number>> {
  const money: Partial<Record<Service, number>> = {};
  for (const [item, amount] of Object.entries(counts) as [Item, number][]) {
    const [service, cost] = costOf(item, amount, pricesOf(region));
    money[service] = (money[service] ?? 0) + cost;
  }
  return money;
}

function costOf(item: Item, amount: number, priced: Prices): [Service, number] {
  if (!(item in paidApis)) return [prices[item as keyof Omit<typeof prices, 'image' | 'videoMinute'>], amount * priced[item as PriceName]];
  const { unit } = paidApis[item as PaidApi];
  return ['Rekognition', unit === 'image' ? imagesCost(amount, priced.image) : amount * priced.videoMinute];
}

/** Each API has its own tiers. */
function imagesCost(images: number, price: number): number {
  return file.imageTiers.reduce((sum, { from, factor }, i) => {
    const to = file.imageTiers[i + 1]?.from ?? Number.POSITIVE_INFINITY;
    return sum + Math.max(0, Math.min(images, to) - from) * factor * price;
  }, 0);
}

/** The sum of all services. */
export const totalOf = (money: Partial<Record<Service, number>>): number => Object.values(money).reduce((sum, each) => sum + each, 0);
