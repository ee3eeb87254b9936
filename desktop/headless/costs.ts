import type { Costs, KeptVideos } from '../../shared/contract.ts';
import { videoBytesAMinute } from '../../shared/forecast.ts';
import type { Command } from './arguments.ts';
import { askAgent, type Context } from './context.ts';

/** Says what the backend costs, and lets what waits be sent when a person approves that. */
export async function costs({ approve }: Extract<Command, { kind: 'costs' }>, context: Context): Promise<number> {
  const answer = await askAgent(context, async (agent) => {
    if (approve) await agent.approveCosts({});
    return agent.costs({});
  });
  if (context.json) context.output.json(answer);
  else for (const line of linesOf(answer)) context.output.say(line);
  return 0;
}

/** Says what it would cost to look at videos that were only stored, and has them looked at when a person approves that. */
export async function lookAgain({ approve }: Extract<Command, { kind: 'lookAgain' }>, context: Context): Promise<number> {
  const { kept, asked } = await askAgent(context, async (agent) => {
    const kept = await agent.keptVideos({});
    return { kept, asked: approve ? (await agent.lookAtKept({})).asked : 0 };
  });
  if (context.json) context.output.json({ ...kept, asked });
  else context.output.say(approve ? `${asked} videos are looked at again, as soon as there is budget.` : keptLine(kept));
  return 0;
}

function keptLine({ videos, videoMinutes, usd }: KeptVideos): string {
  if (videos === 0) return 'There is no video that was only stored and may be looked at.';
  const price = usd === null ? 'nothing' : `at most ${dollars(usd)}${videoMinutes === null ? '' : ` for ${videoMinutes} minutes`}`;
  return `${videos} videos were only stored. To look at them costs ${price}: pixwatch look-again --approve`;
}

/** What costs are, for a terminal. */
export function linesOf({ paid }: Costs): string[] {
  if (!paid) return ['This backend costs nothing.'];
  const { forecast, approved, spent, cap, month, waiting } = paid;
  const { photos, videos, videoMinutes, once, monthly, priceDate, isGuess } = forecast;
  const list = (lines: typeof once.lines) => lines.map(({ service, usd }) => `${dollars(usd).padStart(14)}  ${service}`);
  return [
    `To send and look at ${photos} photos and ${videos} videos, once: ${dollars(once.usd)}`,
    ...list(once.lines),
    ...(videos > 0 && videoMinutes !== 0 ? [videoLine(videoMinutes)] : []),
    `Each month after that: ${dollars(monthly.usd)}`,
    ...list(monthly.lines),
    `Rekognition in ${month}: ${dollars(spent)}${cap === null ? '; there is no cap' : ` of at most ${dollars(cap)}`}`,
    ...(waiting > 0 ? [`${waiting} files wait for budget.`] : []),
    `Prices of ${priceDate}, without tax and free tiers.${isGuess ? " Those of the backend's region are not known; the dearest known are taken." : ''}`,
    approved ? 'What waits may be sent.' : 'Nothing is sent before you approve: pixwatch costs --approve',
  ];
}

const videoLine = (minutes: number | null) =>
  minutes === null
    ? 'Labels are not looked for in videos: that is switched off in the settings of the deployment.'
    : `With ${minutes} minutes of video, guessed from the files' sizes: ${videoBytesAMinute / 1e6} MB a minute.`;
const dollars = (usd: number) => `${usd.toFixed(2)} USD`;
