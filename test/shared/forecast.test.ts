import { expect, it } from 'vitest';
import { moneyOf, paidApis } from '../../shared/cost.ts';
import {
  type CostSettings,
  emptyLibrary,
  forecast,
  guessedMinutes,
  type LibrarySize,
  monthlyCounts,
  onceCounts,
} from '../../shared/forecast.ts';

const settings: CostSettings = {
  detectors: { labels: true, text: true, faces: true, moderation: true, videoLabels: true },
  archiveAfterDays: null,
  region: 'us-east-1',
};
const family: LibrarySize = {
  ...emptyLibrary,
  ...{ photos: 80_000, photoBytes: 80_000 * 4e6 },
  ...{ videos: 500, videoBytes: 500 * 200e6, videoMinutes: 500 * 4 },
};

it('sums up to what its lines say, the dearest first', () => {
  const { once, monthly, isGuess } = forecast(family, settings);
  for (const { usd, lines } of [once, monthly]) {
    expect(lines.reduce((sum, line) => sum + line.usd, 0)).toBeCloseTo(usd, 9);
    expect(lines.map((line) => line.usd)).toEqual(lines.map((line) => line.usd).toSorted((a, b) => b - a));
  }
  expect(once.lines[0]?.service).toBe('Rekognition');
  expect(monthly.lines[0]?.service).toBe('S3');
  expect(isGuess).toBe(false);
});

it('counts no call of what is switched off', () => {
  const none = { labels: false, text: false, faces: false, moderation: false, videoLabels: false };
  const counts = onceCounts(family, { ...settings, detectors: none });
  expect(Object.keys(counts).filter((item) => item in paidApis)).toEqual([]);
  expect(counts.s3Puts).toBeLessThan(onceCounts(family, settings).s3Puts ?? 0);
});

it('costs less a month and more once when originals are archived', () => {
  const archived = forecast(family, { ...settings, archiveAfterDays: 30 });
  const kept = forecast(family, settings);
  expect(archived.monthly.usd).toBeLessThan(kept.monthly.usd);
  // The move, and the event about it.
  expect(archived.once.usd - kept.once.usd).toBeCloseTo(80_500 * 0.000031, 6);
});

it('costs little when there is nothing, and only what is always there', () => {
  const { once, monthly } = forecast(emptyLibrary, settings);
  expect(once.usd).toBe(0);
  expect(monthly.usd).toBeGreaterThan(0);
  expect(monthly.usd).toBeLessThan(5);
});

it('takes the dearest prices for a region that it does not know, and says so', () => {
  const unknown = forecast(family, { ...settings, region: 'xx-nowhere-1' });
  expect(unknown.isGuess).toBe(true);
  for (const region of ['us-east-1', 'us-west-2', 'eu-west-1', 'eu-central-1', 'ap-southeast-2']) {
    expect(unknown.once.usd).toBeGreaterThanOrEqual(forecast(family, { ...settings, region }).once.usd);
  }
});

it('prices the many images of a month by their tiers, each API by itself', () => {
  // 1 million at 0.001, 4 at 0.0008, 1 at 0.0006.
  expect(moneyOf({ DetectLabels: 6e6 }, 'us-east-1').Rekognition).toBeCloseTo(1000 + 3200 + 600, 6);
  expect(moneyOf({ DetectLabels: 1e6, DetectFaces: 1e6 }, 'us-east-1').Rekognition).toBeCloseTo(2000, 6);
});

it('pays for videos by the minute, unless labels are not looked for in them', () => {
  const videos: LibrarySize = { ...emptyLibrary, videos: 10, videoBytes: 10 * 60e6, videoMinutes: 15 };
  const rekognition = (chosen: CostSettings) => forecast(videos, chosen).once.lines.find(({ service }) => service === 'Rekognition')?.usd;
  expect(rekognition(settings)).toBeCloseTo(1.5, 9);
  expect(rekognition({ ...settings, region: 'eu-central-1' })).toBeCloseTo(1.8, 9);
  const off = { ...settings, detectors: { ...settings.detectors, videoLabels: false } };
  expect(rekognition(off)).toBeUndefined();
  expect(forecast(videos, off).once.usd).toBeLessThan(0.01);
  // What is not labels costs next to nothing.
  expect(forecast(videos, settings).once.usd).toBeLessThan(1.51);
});

it('guesses the minutes of videos that nobody has looked into', () => {
  expect(guessedMinutes(0, 0)).toBe(0);
  expect(guessedMinutes(1, 5e6)).toBe(1);
  expect(guessedMinutes(100, 100 * 5e6)).toBe(100);
  expect(guessedMinutes(10, 10 * 600e6)).toBe(105);
});

it('prices what is only kept by the way it takes: nothing is looked for', () => {
  const heic = { ...emptyLibrary, photos: 1000, photoBytes: 2e9, keptPhotos: 1000, keptPhotoBytes: 2e9 };
  const once = onceCounts(heic, settings);
  expect(Object.keys(once).filter((item) => /^(Detect|Start)/.test(item) && once[item as keyof typeof once])).toEqual([]);
  // Admit, Route, Keep, Announce, File, Done.
  expect(once.stateTransitions).toBe(6000);
  expect(forecast(heic, settings).once.usd).toBeLessThan(0.25);
  const mkv = { ...emptyLibrary, videos: 10, videoBytes: 1e10, keptVideos: 10, keptVideoBytes: 1e10 };
  expect(onceCounts(mkv, settings).stateTransitions).toBe(80);
  const off = { ...settings, detectors: { ...settings.detectors, videoLabels: false } };
  expect(onceCounts({ ...mkv, keptVideos: 0, keptVideoBytes: 0 }, off).stateTransitions).toBe(80);
});

it('archives what was looked at and nothing that is only kept', () => {
  const archiving = { ...settings, archiveAfterDays: 30 };
  const films = { ...emptyLibrary, videos: 300, videoBytes: 300e9, keptVideos: 300, keptVideoBytes: 300e9 };
  expect(monthlyCounts(films, archiving)).toEqual(monthlyCounts(films, settings));
  expect(onceCounts(films, archiving).toGlacier).toBe(0);
  const mixed = { ...films, keptVideos: 200, keptVideoBytes: 200e9 };
  expect(monthlyCounts(mixed, archiving).glacierGb).toBeCloseTo(100, 1);
  expect(monthlyCounts(mixed, archiving).standardGb).toBeCloseTo(200 + 0.3 * 0.3, 1);
  expect(onceCounts(mixed, archiving).toGlacier).toBe(100);
});
