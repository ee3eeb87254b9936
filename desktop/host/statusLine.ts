import type { Status } from '../../shared/contract.ts';
import { countUnfinished } from '../../shared/model/localFile.ts';

/** The status in one line, the most pressing thing first: for the tray and the terminal. */
export function statusLine({ problem, paused, offline, costs, scanning, progress, files, assets }: Status): string {
  const left = countUnfinished(files);
  const { filesDone, filesTotal, bytesSent, bytesTotal } = progress;
  if (problem !== null) return problem;
  if (paused) return `Paused: ${filesText(left)} to go`;
  if (offline !== null) return `Offline: ${offline}`;
  if (costs === 'unapproved' && left > 0) return `${filesText(left)} wait until you approve what they cost: Costs, or pixwatch costs`;
  if (filesDone < filesTotal) return `${filesText(left)} to go: ${megabytes(bytesSent)} of ${megabytes(bytesTotal)} sent`;
  if (left > 0) return `${filesText(left)} to go: ${files.analysing ?? 0} being looked at`;
  return scanning ? 'Looking for photos…' : `Up to date: ${assets} searchable`;
}

export const filesText = (n: number) => `${n} ${n === 1 ? 'file' : 'files'}`;

export const megabytes = (bytes: number) => `${Math.round(bytes / 1e6).toLocaleString('en-GB')} MB`;

export const fetchingLine = ({ receivedBytes, totalBytes }: { receivedBytes: number; totalBytes: number }) =>
  `Fetching the vision models, this once: ${megabytes(receivedBytes)} of ${megabytes(totalBytes)}`;
