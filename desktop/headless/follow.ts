import type { Agent } from '../agent/agent.ts';
import { statusLine } from '../host/statusLine.ts';
import type { Context } from './context.ts';

/** Shows progress and alerts in the terminal for as long as the agent lives. */
export function follow(agent: Pick<Agent, 'onEvent'>, { output }: Context): void {
  agent.onEvent((event) => {
    if (event.kind === 'alertRaised') output.note(`Alert ${event.alert.ruleName}: ${event.alert.because} in ${event.alert.fileName}`);
    if (event.kind === 'statusChanged') output.progress(statusLine(event.status));
  });
}

/** Waits until all work is done and tells which labels were found. Ends quietly when it is stopped before. */
export async function tellLabels(
  { untilIdle, handlers }: Pick<Agent, 'untilIdle' | 'handlers'>,
  stop: AbortSignal,
  context: Context,
): Promise<void> {
  try {
    await untilIdle(stop);
  } catch (thrown) {
    if (stop.aborted) return;
    throw thrown;
  }
  sayLabels(await handlers.complete({ prefix: '', limit: mostLabels }), context);
}

/** More would not be read in a terminal; the page has them all. */
export const mostLabels = 30;

export function sayLabels(labels: readonly { label: string; count: number }[], { output, json }: Context): void {
  if (json) output.json({ labels });
  else if (labels.length === 0) output.say('No label was found.');
  else output.say(`Labels found: ${labels.map(({ label, count }) => `${label} (${count})`).join(', ')}`);
}
