import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import type { StoreMessage } from './store.ts';

/**
 * How long the agent takes to send to the local S3 in another process, against `rclone copy` and `aws s3 sync`: each from its start to its
 * end, with a store of its own, in turn. Usage: node test/bench/upload.ts [rounds]
 */
const rounds = Number(process.argv[2] ?? 3);
const loads = [
  { name: '2,000 files of 300 KB', files: 2000, bytes: 300_000 },
  { name: 'one file of 1 GB', files: 1, bytes: 1_000_000_000 },
];
const scratch = await mkdtemp(join(tmpdir(), 'pixwatch-bench-'));
process.on('exit', () => execFileSync('rm', ['-rf', scratch]));

/** Nothing is waited for any longer. */
const longestMs = 120_000;

type Command = (photos: string, store: StoreMessage) => ChildProcess;

const agent: Command = (photos, store) => {
  const script = join(import.meta.dirname, '../desktop/agent/upload/wayUp.ts');
  // As bin/pixwatch.mjs does.
  const env = { NODE_COMPILE_CACHE: join(scratch, 'compiled') };
  return run(process.execPath, [script, join(scratch, 'agent'), JSON.stringify(store), photos], env);
};

const rclone: Command = (photos, { connection, credentials }) =>
  run('rclone', ['copy', photos, 'store:rclone', '--config', '/dev/null', '--s3-no-check-bucket', '--transfers', '8'], {
    RCLONE_CONFIG_STORE_TYPE: 's3',
    RCLONE_CONFIG_STORE_PROVIDER: 'Other',
    RCLONE_CONFIG_STORE_ENDPOINT: connection.endpoint,
    RCLONE_CONFIG_STORE_ACCESS_KEY_ID: credentials.accessKeyId,
    RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  });

const awsSync: Command = (photos, { connection, credentials }) =>
  run('aws', ['s3', 'sync', photos, 's3://aws/', '--only-show-errors', '--endpoint-url', connection.endpoint], {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: connection.region,
  });

/** Without this machine's own AWS settings. */
function run(program: string, args: readonly string[], env: Record<string, string>): ChildProcess {
  const { PATH = '', HOME = '' } = process.env;
  return spawn(program, args, {
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: longestMs,
    killSignal: 'SIGKILL',
  });
}

/** Rivals that are on this machine, or can be installed. */
function rivals(): Map<string, Command> {
  const found = new Map<string, Command>();
  for (const [name, program, packageName, command] of [
    ['rclone copy', 'rclone', 'rclone', rclone],
    ['aws s3 sync', 'aws', 'awscli', awsSync],
  ] as const) {
    if (succeeds(program, ['--version']) || succeeds('apt-get', ['install', '-y', '--no-install-recommends', packageName])) {
      found.set(name, command);
    } else console.log(`${name} is not here and cannot be installed (apt-get install ${packageName}): left out.`);
  }
  return found;
}

function succeeds(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Files of random bytes, safely on the disk, so that nobody is slowed down by their being written. */
async function fill(folder: string, files: number, bytes: number): Promise<void> {
  await mkdir(folder);
  const block = Buffer.alloc(Math.min(bytes, 10_000_000));
  for (let i = 0; i < files; i++) {
    const file = await open(join(folder, `IMG_${i}.${bytes > block.length ? 'mp4' : 'jpg'}`), 'w');
    for (let written = 0; written < bytes; written += block.length) await file.write(randomFillSync(block));
    await file.close();
  }
  execFileSync('sync');
}

async function endOf(name: string, child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`${name} ended with ${code}`);
}

/** @returns seconds */
async function timed(command: Command, photos: string): Promise<number> {
  const dir = await mkdtemp(join(scratch, 'store-'));
  const store = fork(join(import.meta.dirname, 'store.ts'), [dir], { timeout: longestMs, killSignal: 'SIGKILL' });
  const [message] = (await Promise.race([once(store, 'message'), endOf('the store', store)])) as [StoreMessage];
  await rm(join(scratch, 'agent'), { recursive: true, force: true });
  await mkdir(join(scratch, 'agent'));
  const began = systemClock.now();
  const child = command(photos, message);
  const [code] = await once(child, 'exit');
  const seconds = (systemClock.now() - began) / 1000;
  const ended = once(store, 'exit');
  store.kill('SIGKILL');
  await ended;
  if (code !== 0) throw new Error(`${child.spawnfile} ended with ${code ?? `no result within ${longestMs / 1000} s`}`);
  await rm(dir, { recursive: true });
  execFileSync('sync');
  return seconds;
}

const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

const contestants = new Map<string, Command>([['agent', agent], ...rivals()]);
for (const { name, files, bytes } of loads) {
  const photos = join(scratch, 'photos');
  await fill(photos, files, bytes);
  const seconds = new Map([...contestants.keys()].map((contestant) => [contestant, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [contestant, command] of contestants) seconds.get(contestant)?.push(await timed(command, photos));
  }
  await rm(photos, { recursive: true });
  const agents = median(seconds.get('agent') ?? []);
  console.log(`\n${name}, median of ${rounds}`);
  for (const [contestant, all] of seconds) {
    const ratio = contestant === 'agent' ? '' : `   agent is ${(median(all) / agents).toFixed(2)} × as fast`;
    const each = all.map((value) => value.toFixed(2)).join(' ');
    const speed = ((files * bytes) / 1e6 / median(all)).toFixed(0);
    console.log(`  ${contestant.padEnd(12)} ${median(all).toFixed(2)} s (${each})  ${speed} MB/s${ratio}`);
  }
}
