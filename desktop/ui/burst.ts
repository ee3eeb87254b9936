import type { Status } from '../../shared/contract.ts';
import { countUnfinished } from '../../shared/model/localFile.ts';

/** The work that this page saw begin: files that are not done yet, and all since there were none. */
export interface Burst {
  readonly left: number;
  readonly total: number;
  /** The done share, 0–1. */
  readonly share: number;
}

export const noBurst: Burst = { left: 0, total: 0, share: 1 };

/** Goes on from `before` with the latest status. */
export function nextBurst(before: Burst, { files, progress }: Pick<Status, 'files' | 'progress'>): Burst {
  const left = countUnfinished(files);
  if (left === 0) return noBurst;
  const total = before.total + Math.max(0, left - before.left);
  // A file counts half when it is sent: being looked at takes about as long as being sent.
  const analysing = files.analysing ?? 0;
  const sentShare = progress.bytesTotal > 0 ? Math.min(1, progress.bytesSent / progress.bytesTotal) : 0;
  return { left, total, share: (total - left + (analysing + (left - analysing) * sentShare) / 2) / total };
}
