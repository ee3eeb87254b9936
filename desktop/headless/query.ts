import { assertNever } from '../../shared/errors.ts';
import { assetId } from '../../shared/model/asset.ts';
import type { Condition } from '../../shared/model/rule.ts';
import { parse } from '../../shared/parse.ts';
import { type AgentReader, openAgentReader } from '../agent/agent.ts';
import { type BackendChoice, indexDir, readChoice } from '../host/backendFile.ts';
import { readInstance } from '../host/instance.ts';
import { filesText, statusLine } from '../host/statusLine.ts';
import type { Command } from './arguments.ts';
import { askRunning } from './askRunning.ts';
import type { Context } from './context.ts';

type Question = Extract<Command, { kind: 'search' | 'status' | 'alerts' | 'rules' }>;

/** Answers from the local index, whether Pixwatch runs or not; what only a running one knows, it is asked. */
export async function answer(question: Question, context: Context): Promise<number> {
  const reader = openAgentReader(indexDir(context.dataDir, await readChoice(context.dataDir)));
  try {
    switch (question.kind) {
      case 'search':
        await search(question, reader, context);
        return 0;
      case 'status':
        await status(reader, await readChoice(context.dataDir), context);
        return 0;
      case 'alerts':
        await alerts(question, reader, context);
        return 0;
      case 'rules':
        await rules(reader, context);
        return 0;
      default:
        return assertNever(question);
    }
  } finally {
    reader.close();
  }
}

async function search(
  { query, limit }: Extract<Question, { kind: 'search' }>,
  { handlers }: AgentReader,
  { output, json }: Context,
): Promise<void> {
  const { items, total, problem } = await handlers.search({ text: query, cursor: null, limit });
  const hits = await Promise.all(
    items.map(async (hit) => {
      const { files } = await handlers.asset({ asset: parse(assetId, hit.asset, 'asset') });
      return { ...hit, paths: files.map(({ path }) => path) };
    }),
  );
  if (json) {
    output.json({ total, problem, items: hits });
    return;
  }
  if (problem !== null) output.note(problem);
  for (const { takenAt, paths, name } of hits) output.say(`${day(takenAt)}  ${paths[0] ?? `${name} (not on this computer any more)`}`);
  output.note(total > items.length ? `The newest ${items.length} of ${total} found. --limit shows more.` : `${total} found.`);
}

const day = (iso: string | null) => iso?.slice(0, 16).replace('T', ' ') ?? '(no date)'.padEnd(16);

/** What only a running Pixwatch knows. */
const unknown = { offline: null, problem: null, costs: null, scanning: null, progress: null };

async function status({ handlers }: AgentReader, choice: BackendChoice | null, { output, json, dataDir }: Context): Promise<void> {
  const url = await readInstance(dataDir);
  // One that was killed left its address behind, and one in a window has none: then the index must do.
  const live = url === null ? null : await askRunning(url, (agent) => agent.status({})).catch(() => null);
  const answer = live ?? (await handlers.status({}));
  const folders = await handlers.folders({});
  if (json) {
    output.json({ isLive: live !== null, ...answer, ...(live ? {} : unknown), folders, backend: backendOf(choice) });
    return;
  }
  output.say(statusLine(answer));
  if (answer.notice !== null) output.note(answer.notice);
  if (!live) output.note('Pixwatch does not run, or runs in a window: this is what the index says.');
  output.say(backendLine(choice));
  for (const [state, files] of Object.entries(answer.files)) if (files > 0) output.say(`${String(files).padStart(8)} ${state}`);
  for (const { path, files, ignored, problem } of folders) {
    const without = ignored.length === 0 ? '' : `, without ${ignored.join(' ')}`;
    output.say(`${path}: ${filesText(files)}${without}${problem === null ? '' : `: ${problem}`}`);
  }
}

/** No secret, and nothing that a program could take for one. */
function backendOf(choice: BackendChoice | null) {
  if (choice?.inUse !== 'aws' || !choice.aws) return { inUse: 'thisComputer' };
  const { file, as, library } = choice.aws;
  return { inUse: 'aws', name: file.name, region: file.region, as, library };
}

function backendLine(choice: BackendChoice | null): string {
  if (choice?.inUse !== 'aws' || !choice.aws) return 'Backend: this computer';
  const { file, as } = choice.aws;
  return `Backend: ${file.name} on AWS, ${file.region}, ${as.kind === 'user' ? `as ${as.user}` : `by the profile ${as.profile}`}`;
}

async function alerts(
  { limit }: Extract<Question, { kind: 'alerts' }>,
  { handlers }: AgentReader,
  { output, json }: Context,
): Promise<void> {
  const { items } = await handlers.alerts({ cursor: null, limit });
  if (json) {
    output.json(items);
    return;
  }
  for (const { at, ruleName, because, fileName } of items) output.say(`${day(at)}  ${ruleName}: ${because} in ${fileName}`);
  if (items.length === 0) output.note('No alerts.');
}

async function rules({ handlers }: AgentReader, { output, json }: Context): Promise<void> {
  const all = await handlers.rules({});
  if (json) {
    output.json(all);
    return;
  }
  for (const { id, name, condition, notify } of all) {
    const ways = [notify.desktop ? 'desktop' : '', notify.sns ? 'email' : ''].filter(Boolean).join(',') || 'no message';
    output.say(`${id}  ${name}: ${conditionText(condition)} (${ways})`);
  }
  if (all.length === 0) output.note('No rules.');
}

/** A rule's condition in one line. */
export function conditionText(condition: Condition): string {
  switch (condition.kind) {
    case 'label':
      return `${condition.minCount ? `${condition.minCount} × ` : ''}${condition.label} >= ${condition.minConfidence}`;
    case 'text':
      return `text ${JSON.stringify(condition.text)}`;
    case 'moderation':
      return `flagged as ${condition.label ?? 'anything'} >= ${condition.minConfidence}`;
    case 'place':
      return `within ${condition.withinKm} km of ${condition.latitude}, ${condition.longitude}`;
    case 'taken':
      return `taken ${condition.from ?? 'any time'} to ${condition.to ?? 'any time'}`;
    case 'hours':
      return `taken between ${condition.from}:00 and ${condition.until}:00`;
    case 'all':
      return condition.conditions.map(conditionText).join(' and ');
    default:
      return assertNever(condition);
  }
}
