import type { HistoryEntry } from '../../shared/contract.ts';

/** The pipeline's states that only lead from one to the next: nothing that happened to a photo. */
const betweenSteps = new Set(['Route', 'Look', 'RouteVideo', 'Done']);

/** What of an execution's history tells a person something: each step's end, and the beginning of one that has not ended. */
export function historyLines(entries: readonly HistoryEntry[]): HistoryEntry[] {
  return entries.filter(({ step, what }, index) => {
    if (betweenSteps.has(step)) return false;
    return what !== 'entered' || !entries.slice(index + 1).some((later) => later.step === step);
  });
}
