import type { Status } from '../../../shared/contract.ts';
import { messages } from '../messages.ts';

/** How much of the present work is done: by bytes while there are any to send, so that one large file shows progress too. */
export function ProgressBar({ status: { progress } }: { status: Status }) {
  return <progress aria-label={messages.status.progress} value={progressShare(progress)} max={1} />;
}

/**
 * The done share of the work, 0–1. A file counts half when it is sent and fully when it is done, since being
 * looked at takes about as long as being sent.
 */
export function progressShare({ filesDone, filesTotal, bytesSent, bytesTotal }: Status['progress']): number {
  if (filesTotal === 0) return 1;
  const sent = bytesTotal > 0 ? Math.min(bytesSent / bytesTotal, 1) : 1;
  return (filesDone / filesTotal + sent) / 2;
}
