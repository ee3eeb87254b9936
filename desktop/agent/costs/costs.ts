import { once } from 'node:events';
import type { DatabaseSync } from 'node:sqlite';
import type { BackendCosts, commands } from '../../../shared/commands.ts';
import type { Costs as CostsAnswer, Status } from '../../../shared/contract.ts';
import { InvalidInput, Permanent, Transient } from '../../../shared/errors.ts';
import { type CostSettings, forecast, type LibrarySize } from '../../../shared/forecast.ts';
import type { Client } from '../../../shared/rpc.ts';
import { countFiles } from '../db/fileStates.ts';
import { transaction } from '../db/openDatabase.ts';
import { readMeta, writeMeta } from '../sync/meta.ts';
import { repeat } from '../sync/repeat.ts';
import { queuedSize, sizeSinceApproval, wholeSize } from './librarySize.ts';

export interface CostsOptions {
  readonly db: DatabaseSync;
  readonly commands: Pick<Client<typeof commands>, 'costs'>;
  /** What may be sent has changed. */
  onChange(): void;
  /** Something else than the cloud failed. It is tried again. */
  onError(thrown: unknown): void;
}

/** Knows what the backend costs, by its own answer, and lets nothing be sent that costs and that nobody has approved. */
export interface Costs {
  state(): Status['costs'];
  /** Why it cannot be found out what the backend costs, so that nothing is sent; null when it is known, or asked. */
  trouble(): string | null;
  /** As the backend has told it within the last 15 s. */
  read(): Promise<CostsAnswer>;
  approve(): Promise<void>;
  /** What it costs to have so much looked at. */
  of(size: LibrarySize): Promise<{ videoMinutes: number | null; usd: number | null }>;
  /** More waits to be sent. */
  lookSoon(): void;
  close(): Promise<void>;
}

/** US dollars, once, that somebody has agreed to. */
const approvedKey = 'costsApproved';
/** Approved anew when what was sent since then and what waits would cost more than so many times that, and a dollar. */
const margin = 1.5;
const smallUsd = 1;

const lookEveryMs = 10_000;
/** Many files come together. */
const soonMs = 1_000;
/** The backend's settings seldom change; each question is a call that is billed. */
const askEveryMs = 30 * 60_000;
/** Pages ask at every change of the status. */
const freshMs = 15_000;
const retryMs = 5_000;

export function createCosts({ db, commands, onChange, onError }: CostsOptions): Costs {
  let backend: BackendCosts | null = null;
  let askedAt = 0;
  let state: Status['costs'] = 'unknown';
  let trouble: string | null = null;

  const ask = async () => {
    backend = await commands.costs({});
    askedAt = performance.now();
    trouble = null;
    return backend;
  };
  const isOlderThan = (ms: number) => performance.now() - askedAt > ms;
  const fresh = async () => (backend && !isOlderThan(freshMs) ? backend : ask());
  const judge = () => {
    if (!backend) return;
    const next = judgeBackend(db, backend);
    if (next === state) return;
    state = next;
    onChange();
  };
  const looking = repeat(async (signal) => {
    try {
      // A call that hangs must not hold up the end.
      if (!backend || isOlderThan(askEveryMs)) await Promise.race([ask(), once(signal, 'abort')]);
      judge();
      // What costs nothing never has to be approved.
      return backend?.region === null ? askEveryMs : lookEveryMs;
    } catch (thrown) {
      if (signal.aborted) return 0;
      if (!(thrown instanceof Transient || thrown instanceof Permanent)) onError(thrown);
      else if (!backend) {
        trouble = thrown.message;
        onChange();
      }
      return retryMs;
    }
  });

  return {
    state: () => state,
    trouble: () => trouble,
    async read() {
      const { region, cap, spent, month, ...settings } = await fresh();
      judge();
      if (region === null) return { paid: null };
      const queued = queuedSize(db);
      const { once, priceDate, isGuess } = forecast(queued, { ...settings, region });
      const { monthly } = forecast(wholeSize(db), { ...settings, region });
      const { photos, videos } = queued;
      const videoMinutes = settings.detectors.videoLabels ? queued.videoMinutes : null;
      const waiting = countFiles(db).waiting;
      return {
        paid: {
          forecast: { photos, videos, videoMinutes, once, monthly, priceDate, isGuess },
          approved: isApproved(db, { ...settings, region }),
          spent,
          cap,
          month,
          waiting,
        },
      };
    },
    async approve() {
      const { region, ...settings } = await fresh();
      if (region === null) throw new InvalidInput('This backend costs nothing: there is nothing to approve.');
      transaction(db, () => {
        writeMeta(db, approvedKey, String(forecast(queuedSize(db), { ...settings, region }).once.usd));
        db.exec('DELETE FROM sent');
      });
      judge();
    },
    async of(size) {
      const { region, ...settings } = await fresh();
      const videoMinutes = settings.detectors.videoLabels ? size.videoMinutes : null;
      return { videoMinutes, usd: region === null ? null : forecast(size, { ...settings, region }).once.usd };
    },
    lookSoon: () => looking.wake(soonMs),
    close: looking.close,
  };
}

function judgeBackend(db: DatabaseSync, { region, ...settings }: BackendCosts): Status['costs'] {
  if (region === null) return 'free';
  return isApproved(db, { ...settings, region }) ? 'approved' : 'unapproved';
}

/**
 * Whether somebody has agreed to pay for what waits, on top of what was sent since they agreed: an approval is used up. Before anybody has agreed
 * to anything, not even a single photo is sent.
 */
function isApproved(db: DatabaseSync, settings: CostSettings): boolean {
  const approved = readMeta(db, approvedKey);
  return approved !== null && forecast(sizeSinceApproval(db), settings).once.usd <= Number(approved) * margin + smallUsd;
}
