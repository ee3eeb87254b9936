import { type Counts, type Detectors, isPriced, moneyOf, type PaidApi, priceDate, type Service, totalOf } from './cost.ts';

/** What a library will cost, worked out from what the code does with each file. Pure. */

/** What is to be sent. Kept are those of all photos or videos that are only stored, in the inbox and never archived: HEIC, raw, MKV and so on. */
export interface LibrarySize {
  readonly photos: number;
  readonly photoBytes: number;
  readonly keptPhotos: number;
  readonly keptPhotoBytes: number;
  readonly videos: number;
  readonly videoBytes: number;
  readonly keptVideos: number;
  readonly keptVideoBytes: number;
  /** Of the videos that Rekognition takes, each in whole minutes. Before they are sent nobody knows: see `guessedMinutes`. */
  readonly videoMinutes: number;
}

export const emptyLibrary: LibrarySize = {
  ...{ photos: 0, photoBytes: 0, keptPhotos: 0, keptPhotoBytes: 0 },
  ...{ videos: 0, videoBytes: 0, keptVideos: 0, keptVideoBytes: 0, videoMinutes: 0 },
};

/**
 * So many bytes of a video are taken for a minute: 8 Mbit/s. iPhones take so much for 720p in H.264, twice that for 1080p and six times for 4K (their
 * settings, Camera, Record Video), and YouTube asks for it for 1080p (https://support.google.com/youtube/answer/1722171). What cameras
 * make is thus shorter than forecast; what messengers and screen recorders make can be several times as long.
 */
export const videoBytesAMinute = 60_000_000;

/** What so many videos come to, each rounded up to whole minutes: half a minute more on average, and no less than one. */
export const guessedMinutes = (videos: number, bytes: number): number =>
  Math.max(videos, Math.ceil(bytes / videoBytesAMinute + videos / 2));

/** What of a backend's settings costs depend on. */
export interface CostSettings {
  readonly detectors: Detectors;
  /** Null: originals stay in S3 Standard. */
  readonly archiveAfterDays: number | null;
  /** Of AWS. */
  readonly region: string;
}

export interface CostLine {
  readonly service: Service;
  readonly usd: number;
}

/** In US dollars, the dearest service first; without tax and free tiers. */
export interface Forecast {
  /** To send all of it and have it looked at. */
  readonly once: { readonly usd: number; readonly lines: CostLine[] };
  /** Afterwards, each month: to keep it, and for the backend to be there. */
  readonly monthly: { readonly usd: number; readonly lines: CostLine[] };
  /** When the prices were collected, `2024-06-30`. */
  readonly priceDate: string;
  /** The region's own prices are not known: the dearest of those that are were taken. */
  readonly isGuess: boolean;
}

export function forecast(size: LibrarySize, settings: CostSettings): Forecast {
  return {
    once: sum(onceCounts(size, settings), settings.region),
    monthly: sum(monthlyCounts(size, settings), settings.region),
    priceDate,
    isGuess: !isPriced(settings.region),
  };
}

function sum(counts: Counts, region: string): Forecast['once'] {
  const money = moneyOf(counts, region);
  const lines = (Object.entries(money) as [Service, number][]).map(([service, usd]) => ({ service, usd }));
  return { usd: totalOf(money), lines: lines.filter(({ usd }) => usd > 0).toSorted((a, b) => b.usd - a.usd) };
}

/** What one step of the pipeline consumes. `ms` at `mb` of memory (cloud/stack) are estimates: render and pixelate by measurement of a 12-megapixel photo. */
interface Step extends Pick<Counts, 's3Puts' | 's3Gets' | 'readUnits' | 'writeUnits' | 'events'> {
  readonly ms: number;
  readonly mb: number;
}

/** KB of a record with ten labels. It is written to the table and to its index. */
const recordKb = 3;
const small = { ms: 120, mb: 256 };
/** A token of a bucket, or a turn: a write that finds it full and one that does not, of which at worst the first fails, which is billed (cloud/steps/rate.ts). */
const token = 2;
/** A detector looks for an earlier answer, takes a token, reserves its price, is called (Rekognition reads the picture), and its answer is written. */
const detect = { ms: 900, mb: 256, s3Gets: 2, s3Puts: 1, writeUnits: token + 1 };
/** A detector that is off says so and does nothing. */
const off = { ms: 5, mb: 256 };

/** By the states of cloud/pipeline.asl.json. Held against the local cloud's meter by test/e2e/forecast.test.ts. */
const steps = {
  /** Gives an execution its turn. */
  Dispatch: { ...small, writeUnits: token },
  Admit: { ms: 500, mb: 1024, s3Gets: 2, readUnits: 2, writeUnits: 1 },
  Render: { ms: 1500, mb: 1769, s3Gets: 1, s3Puts: 8 },
  DetectLabels: { ...detect, s3Puts: 2 },
  DetectText: detect,
  DetectModeration: detect,
  DetectFaces: detect,
  Pixelate: { ms: 700, mb: 1769, s3Gets: 2, s3Puts: 1 },
  Categorise: { ...small, s3Gets: 3, readUnits: 1 },
  Record: { ...small, s3Gets: 4, readUnits: 1, writeUnits: 2 * recordKb },
  Keep: { ...small, readUnits: 1, writeUnits: 2 },
  /** The bucket tells EventBridge of the copy, of the inbox's delete marker, and a day later that its lifecycle has removed the version and the marker. */
  File: { ms: 300, mb: 256, s3Gets: 3, s3Puts: 1, events: 4 },
  /** What stays in the inbox. */
  FileNothing: off,
  Announce: { ...small, readUnits: 1 },
  /** Reads what it needs of a video, however long that is, and makes its still. */
  Poster: { ms: 3000, mb: 1769, s3Gets: 5, s3Puts: 2 },
  /** Looks for an earlier answer, notes who waits and for which job, takes a token, reserves the price. */
  StartVideoLabels: { ms: 900, mb: 1024, s3Gets: 1, writeUnits: token + 3 },
  /** One page of labels. */
  VideoLabelsDone: { ms: 1500, mb: 1024, s3Puts: 2, readUnits: 1, writeUnits: token + 1 },
  /** Of a video there are labels alone. */
  CategoriseVideo: { ...small, s3Gets: 1, readUnits: 1 },
  RecordVideo: { ...small, s3Gets: 1, readUnits: 1, writeUnits: 2 * recordKb },
} as const satisfies Record<string, Step>;

/** States that are entered on the way of a photo, of a video, and of one of each that is only kept; Choice, Parallel and Pass among them. */
const transitions = { photo: 14, keptPhoto: 6, video: 10, keptVideo: 8 };

/** What is looked for in a photo. */
const lookedFor = [
  { detector: 'labels', api: 'DetectLabels', step: steps.DetectLabels },
  { detector: 'text', api: 'DetectText', step: steps.DetectText },
  { detector: 'moderation', api: 'DetectModerationLabels', step: steps.DetectModeration },
  { detector: 'faces', api: 'DetectFaces', step: steps.DetectFaces },
] as const satisfies readonly { detector: keyof Detectors; api: PaidApi; step: Step }[];

const gb = 1e9;
const minutesAMonth = 730 * 60;
/** Lambda writes so much about each invocation into its log. */
const logBytes = 600;
/** The desktop's parts: desktop/agent/upload/planParts.ts. */
const partBytes = 8 * 1024 * 1024;
/** While a library is sent the desktop reads each record so often: every 1.5 s for 2 minutes (desktop/agent/sync/startSync.ts). */
const syncReads = 80;

/** All that is billed for sending a library and having it looked at. */
export function onceCounts(size: LibrarySize, { detectors, archiveAfterDays }: CostSettings): Counts {
  const { keptPhotos, keptPhotoBytes, keptVideoBytes, videos, videoMinutes } = size;
  const photos = size.photos - keptPhotos;
  // Where nothing is looked for in videos, all of them are only kept.
  const keptVideos = detectors.videoLabels ? size.keptVideos : videos;
  const files = size.photos + videos;
  const called: [api: string, n: number][] = lookedFor.filter(({ detector }) => detectors[detector]).map(({ api }) => [api, photos]);
  if (detectors.videoLabels && videoMinutes > 0) called.push(['StartLabelDetection', videoMinutes]);
  const { Dispatch, Admit, Poster, Keep, FileNothing, Announce } = steps;
  return add(
    times(photos, photoPath(detectors)),
    times(keptPhotos, pathOf([Admit, Keep, FileNothing, Announce], transitions.keptPhoto)),
    times(videos - keptVideos, videoPath()),
    times(keptVideos, pathOf([Admit, Poster, Keep, FileNothing, Announce], transitions.keptVideo)),
    Object.fromEntries(called),
    { s3Puts: uploadPuts(photos, size.photoBytes - keptPhotoBytes) + uploadPuts(keptPhotos, keptPhotoBytes), readUnits: files },
    { s3Puts: uploadPuts(videos - size.keptVideos, size.videoBytes - keptVideoBytes) + uploadPuts(size.keptVideos, keptVideoBytes) },
    // S3's event goes through EventBridge and SQS (sent, received and deleted) to the dispatcher, at worst each by itself.
    times(files, { ...pathOf([Dispatch], 0), sqsRequests: 3, traces: 1 }),
    { events: files },
    // A part of a 4 KB unit each, and half of that because the index is read eventually.
    { readUnits: (files * syncReads * recordKb) / 8 },
    // The bucket tells of that, too.
    archiveAfterDays === null ? {} : times(files - keptPhotos - keptVideos, { toGlacier: 1, events: 1 }),
  );
}

function photoPath(detectors: Detectors): Counts {
  const { Admit, Render, Pixelate, Categorise, Record, File, Announce } = steps;
  const looks = lookedFor.map(({ detector, step }) => (detectors[detector] ? step : off));
  return pathOf([Admit, Render, ...looks, detectors.faces ? Pixelate : off, Categorise, Record, File, Announce], transitions.photo);
}

/** Of those that Rekognition does not take a little less is billed, which shows only in the cloud. */
function videoPath(): Counts {
  const { Admit, Poster, StartVideoLabels, VideoLabelsDone, CategoriseVideo, RecordVideo, File, Announce } = steps;
  const path = [Admit, Poster, StartVideoLabels, VideoLabelsDone, CategoriseVideo, RecordVideo, File, Announce];
  // Rekognition's answer goes through SNS and SQS: sent, received and deleted.
  return add(pathOf(path, transitions.video), { sqsRequests: 3 });
}

/** All that is billed in a month after that: storage, and that the backend and one desktop are running. */
export function monthlyCounts(size: LibrarySize, { archiveAfterDays }: CostSettings): Counts {
  const { photos, photoBytes, keptPhotos, keptPhotoBytes, videos, videoBytes, keptVideos, keptVideoBytes } = size;
  const files = photos + videos;
  const originals = (photoBytes + videoBytes) / gb;
  const made = ((photos - keptPhotos) * madeBytes + (photoBytes - keptPhotoBytes) * madeShare + videos * stillBytes) / gb;
  // What is kept stays where it can be read (cloud/stack/storage.ts).
  const isArchived = archiveAfterDays !== null;
  const archivedGb = isArchived ? originals - (keptPhotoBytes + keptVideoBytes) / gb : 0;
  const archived = isArchived ? files - keptPhotos - keptVideos : 0;
  const timers = times(minutesAMonth * timersAMinute, { ...pathOf([small], 0), readUnits: 1.5 });
  const records = (files * recordKb * 1000) / gb;
  return add(
    { standardGb: made + originals - archivedGb + (archived * archivedOverhead.standard) / gb },
    { glacierGb: archivedGb + (archived * archivedOverhead.glacier) / gb },
    { tableGb: 2 * records, backupGb: records },
    timers,
    { sqsRequests: minutesAMonth * emptyReceivesAMinute, readUnits: minutesAMonth * pollsAMinute * readUnitsAPoll },
    { schedules: minutesAMonth * timersAMinute, alarmMetrics: 10, dashboards: 1 },
  );
}

/** Bytes of what is made of each photo, and as a share of its original: preview, thumb, grids and JSON; analysis copy and safe share. */
const madeBytes = 400_000;
const madeShare = 1.5;
/** Of a video: preview and thumb of its still, and JSON. */
const stillBytes = 300_000;
/** S3 Glacier Flexible Retrieval keeps so much besides each object: https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html */
const archivedOverhead = { glacier: 32_768, standard: 8_192 };
/** functions/drainOutbox.ts and functions/resumeWaiting.ts. */
const timersAMinute = 2;
/** Lambda polls the inbox queue and that of answers about videos by five receives each, which wait for 20 s. */
const emptyReceivesAMinute = 30;
/** One desktop that is never switched off: rules, which are read consistently, and changes. */
const pollsAMinute = 2;
const readUnitsAPoll = 1.5;

/** Each step is an invocation of its function. */
function pathOf(path: readonly Step[], stateTransitions: number): Counts {
  return add(
    ...path.map(({ ms, mb, ...counts }) => ({
      ...counts,
      lambdaRequests: 1,
      lambdaGbSeconds: (ms / 1000) * (mb / 1024),
      logGb: logBytes / gb,
    })),
    { stateTransitions },
  );
}

function uploadPuts(files: number, bytes: number): number {
  const parts = files === 0 ? 0 : Math.ceil(bytes / files / partBytes);
  // In parts: begun and completed besides.
  return files * (parts <= 1 ? 1 : parts + 2);
}

function add(...all: readonly Counts[]): Counts {
  const total: Record<string, number> = {};
  for (const counts of all) for (const [item, n] of Object.entries(counts)) total[item] = (total[item] ?? 0) + n;
  return total;
}

const times = (n: number, counts: Counts): Counts => Object.fromEntries(Object.entries(counts).map(([item, each]) => [item, each * n]));
