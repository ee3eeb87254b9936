import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Agent, startAgent } from '../../desktop/agent/agent.ts';
import { systemClock } from '../../shared/clock.ts';
import type { HistoryEntry } from '../../shared/contract.ts';
import type { AssetId } from '../../shared/model/asset.ts';
import type { CloudProcessMessage } from '../cloud/cloudProcess.ts';
import { fetchFilm, ffmpeg } from './clips.ts';

/**
 * The whole walk of real films of 19 MB and of 1 GB, MP4 and MOV, through the agent and the local cloud with its models: how long it takes, and how much memory the cloud
 * comes to. It fails when a film is not found with duration, picture and labels with their times. Usage: node test/bench/video.ts [part of a film's name]
 */
const only = process.argv[2] ?? '';
const scratch = await mkdtemp(join(tmpdir(), 'pixwatch-bench-'));
process.on('exit', () => execFileSync('rm', ['-rf', scratch]));

interface Film {
  readonly name: string;
  /** Of FFmpeg, with what goes before and behind the input. Frames and sound are copied as they are. */
  readonly before: readonly string[];
  readonly behind: readonly string[];
  readonly seconds: number;
  readonly isUpright?: true;
}
const small = ['-fs', '19000000'];
/** 45 × 22.7 MB. */
const large = ['-stream_loop', '44'];
const turned = ['-metadata:s:v', 'rotate=90'];
const listFirst = ['-movflags', '+faststart'];
const films: readonly Film[] = [
  { name: 'small.mp4', before: [], behind: [...small, ...listFirst], seconds: 25 },
  { name: 'small-turned.mov', before: [], behind: [...small, ...turned], seconds: 25, isUpright: true },
  { name: 'large.mp4', before: large, behind: [], seconds: 45 * 30 },
  { name: 'large-turned.mov', before: large, behind: [...turned, ...listFirst], seconds: 45 * 30, isUpright: true },
];

const original = fetchFilm(scratch);
const cloud = fork(new URL('../cloud/cloudProcess.ts', import.meta.url), [join(scratch, 'cloud')], { execArgv: [] });
process.on('exit', () => cloud.kill('SIGKILL'));
const [{ connection, credentials }] = (await once(cloud, 'message')) as [CloudProcessMessage];
await mkdir(join(scratch, 'agent'));
const agent = await startAgent({
  dataDir: join(scratch, 'agent'),
  ...{ connection, credentials: async () => credentials, clock: systemClock, log: console.warn },
});

/** The most memory that the cloud ever had, in MB; on Linux. */
async function peak(): Promise<number> {
  const status = await readFile(`/proc/${cloud.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
/** Counts from now on: `man 5 proc`, clear_refs. */
const forgetPeak = () => writeFile(`/proc/${cloud.pid}/clear_refs`, '5');

/** How long a state took, in seconds; NaN before it is over. */
function secondsIn(history: readonly HistoryEntry[], step: string): number {
  const at = (what: HistoryEntry['what']) => Date.parse(history.find((entry) => entry.step === step && entry.what === what)?.at ?? '');
  return (at('succeeded') - at('entered')) / 1000;
}

/** What happened to an asset, when its original is filed, which is after it can be searched for. */
async function wholeHistory({ handlers }: Agent, asset: AssetId): Promise<HistoryEntry[]> {
  for (;;) {
    const history = await handlers.history({ asset });
    if (secondsIn(history, 'File') >= 0) return history;
    await sleep(100);
  }
}

/** Sends one file by way of a watched folder. @returns its asset, and the seconds until it can be searched for */
async function walk({ handlers, untilIdle }: Agent, path: string): Promise<{ asset: AssetId; seconds: number }> {
  const began = performance.now();
  const { id } = await handlers.addFolder({ path });
  const { files } = await untilIdle(undefined, [id]);
  if (files.searchable !== 1) throw new Error(`${path} has come to another end: ${JSON.stringify(files)}`);
  const { items } = await handlers.files({ kinds: ['searchable'], cursor: null, limit: 500 });
  const asset = items.find((file) => file.path.startsWith(path))?.asset;
  if (!asset) throw new Error(`${path} is not known`);
  return { asset: asset as AssetId, seconds: (performance.now() - began) / 1000 };
}

for (const { name, before, behind, seconds, isUpright = false } of films) {
  if (!name.includes(only)) continue;
  const folder = join(scratch, basename(name).replace('.', '-'));
  await mkdir(folder);
  ffmpeg(...before, '-i', original, '-map', '0', '-c', 'copy', ...behind, join(folder, name));
  const { size } = await stat(join(folder, name));
  execFileSync('sync');
  const idle = await peak();
  await forgetPeak();
  const walked = await walk(agent, folder);
  const { record } = await agent.handlers.asset({ asset: walked.asset });
  const media = record?.media;
  const labels = record?.labels ?? [];
  const isWhole =
    Math.abs((media?.durationMs ?? 0) / 1000 - seconds) < 2 &&
    (isUpright ? media?.width === 1080 && media.height === 1920 : media?.width === 1920 && media.height === 1080) &&
    record?.renditions.join() === 'thumb,preview' &&
    labels.length > 0 &&
    labels.every(({ times = [] }) => times.length > 0 && times.every((time) => time >= 0 && time <= seconds * 1000));
  if (!isWhole) throw new Error(`${name} was not found as it is: ${JSON.stringify({ media, labels, outcome: record?.outcome })}`);
  const { total } = await agent.handlers.search({ text: `is:video label:"${labels[0]?.name}"`, cursor: null, limit: 1 });
  if (total === 0) throw new Error(`${name} cannot be searched for`);

  const history = await wholeHistory(agent, walked.asset);
  const states = ['Admit', 'Poster', 'VideoLabels', 'File'].map((step) => `${step} ${secondsIn(history, step).toFixed(1)} s`);
  console.log(
    `${name}, ${(size / 1e6).toFixed(0)} MB, ${media?.durationMs} ms: searchable after ${walked.seconds.toFixed(1)} s (${states.join(', ')})`,
  );
  console.log(
    `  the cloud came to ${Math.round(await peak())} MB (${Math.round(idle)} before), the agent to ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
  );
  console.log(
    `  ${labels.map(({ name, confidence, times = [] }) => `${name} ${Math.round(confidence)} % (${times.length} ×, first at ${times[0]} ms)`).join(', ')}`,
  );
  await rm(folder, { recursive: true });
}
process.exit();
