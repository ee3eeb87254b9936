import { expect, test } from 'vitest';
import { type Burst, nextBurst, noBurst } from '../../../desktop/ui/burst.ts';

const idle = { filesDone: 0, filesTotal: 0, bytesSent: 0, bytesTotal: 0, bytesPerSecond: 0, secondsLeft: null };
const sending = (bytesSent: number) => ({ ...idle, filesTotal: 1, bytesSent, bytesTotal: 100 });
const all = (...steps: Parameters<typeof nextBurst>[1][]) => steps.reduce<Burst>(nextBurst, noBurst);

test('nothing to do is all done', () => {
  expect(all({ files: { searchable: 9, failed: 1 }, progress: idle })).toEqual({ left: 0, total: 0, share: 1 });
});

test('one large file moves the bar while it is sent, and while it is looked at', () => {
  expect(all({ files: { uploading: 1 }, progress: sending(0) }).share).toBe(0);
  expect(all({ files: { uploading: 1 }, progress: sending(50) }).share).toBe(0.25);
  expect(all({ files: { analysing: 1 }, progress: idle }).share).toBe(0.5);
});

test('files that come while others are done count as more, not as undone', () => {
  const half = all({ files: { analysing: 4 }, progress: idle }, { files: { analysing: 2, searchable: 2 }, progress: idle });
  expect(half).toEqual({ left: 2, total: 4, share: 0.75 });
  const more = nextBurst(half, { files: { settling: 4, analysing: 2, searchable: 2 }, progress: idle });
  expect(more).toMatchObject({ left: 6, total: 8 });
});

test('a new burst begins anew', () => {
  const again = all({ files: { queued: 8 }, progress: idle }, { files: {}, progress: idle }, { files: { queued: 2 }, progress: idle });
  expect(again).toEqual({ left: 2, total: 2, share: 0 });
});
