import { expect, test } from 'vitest';
import { nothingToDo } from '../../../desktop/agent/queue/progress.ts';
import { statusLine } from '../../../desktop/host/statusLine.ts';
import type { Status } from '../../../shared/contract.ts';

const rest: Status = {
  offline: null,
  paused: false,
  problem: null,
  notice: null,
  costs: 'free',
  scanning: false,
  assets: 7,
  files: { searchable: 7 },
  progress: nothingToDo,
  unseenAlerts: 0,
};
const waiting = { files: { queued: 80_000 }, progress: { ...nothingToDo, filesTotal: 80_000, bytesTotal: 3e9 } };

test.each<[Partial<Status>, string]>([
  [{}, 'Up to date: 7 searchable'],
  [{ scanning: true }, 'Looking for photos…'],
  [waiting, '80000 files to go: 0 MB of 3,000 MB sent'],
  [{ files: { analysing: 1 } }, '1 file to go: 1 being looked at'],
  [{ ...waiting, costs: 'unapproved' }, '80000 files wait until you approve what they cost: Costs, or pixwatch costs'],
  [{ ...waiting, costs: 'unapproved', offline: 'No answer.' }, 'Offline: No answer.'],
  [{ ...waiting, paused: true, offline: 'No answer.' }, 'Paused: 80000 files to go'],
  [{ ...waiting, paused: true, problem: 'The disk is full.' }, 'The disk is full.'],
])('the most pressing thing comes first: %j', (status, line) => {
  expect(statusLine({ ...rest, ...status })).toBe(line);
});
