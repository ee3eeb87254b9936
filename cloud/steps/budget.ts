import { everyLibrary } from './alertMessage.ts';
import type { Backend } from './backend.ts';
import { enqueueAlert } from './outbox.ts';
import { capOf, monthOf, noteWarned, type Usage } from './usage.ts';

/** Who pays is told when the cap comes near and when it is reached: once for each month and cap. */

const notice = { library: everyLibrary, file: null };

/** Of the cap. */
const warnFrom = 0.8;

/** Tells when a month's usage has come to 80 % of the cap. The item notes it, so that this costs nothing at every other call. */
export async function warnOfCap(backend: Backend, month: string, { spent, warnedOf }: Usage): Promise<void> {
  const cap = capOf(backend);
  if (cap === null || cap === 0 || spent < warnFrom * cap || warnedOf === cap) return;
  await enqueueAlert(backend, {
    ...notice,
    rule: 'budget-80',
    alertId: `budget/${month}/${cap}/80`,
    ruleName: `80 % of this month's budget is used`,
    because: `Rekognition has cost ${dollars(spent)} of at most ${dollars(cap)} in ${month}. When the cap is reached, photos are still stored, but not looked at before the next month.`,
  });
  await noteWarned(backend, month, cap);
}

/** Tells that the cap is reached. */
export async function tellCapReached(backend: Backend): Promise<void> {
  const cap = capOf(backend);
  if (cap === null) return;
  const month = monthOf(backend.clock);
  await enqueueAlert(backend, {
    ...notice,
    rule: 'budget-100',
    alertId: `budget/${month}/${cap}/100`,
    ruleName: `This month's budget is used up`,
    because: `Rekognition has cost nearly ${dollars(cap)} in ${month}, which is the cap. New photos are stored, and looked at when the next month begins or the cap is raised.`,
  });
}

const dollars = (micro: number) => `${(micro / 1_000_000).toFixed(2)} USD`;
