import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { indexFile, openDatabase } from '../../../desktop/agent/db/openDatabase.ts';
import { pausedKey, writeMeta } from '../../../desktop/agent/sync/meta.ts';
import { writeChoice } from '../../../desktop/host/backendFile.ts';
import { systemClock } from '../../../shared/clock.ts';
import type { LibraryId } from '../../../shared/model/asset.ts';
import { apply, mediaOf, recordOf } from '../agent/search/library.ts';

const launcher = fileURLToPath(new URL('../../../bin/pixwatch.mjs', import.meta.url));
let dir: string;
let dataDir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pixwatch-cli-'));
  dataDir = join(dir, 'data');
  await writeFile(join(dir, 'file'), '');
});
afterAll(() => rm(dir, { recursive: true }));

/** Models are out of reach, as a file is in their way, so that no command of these tests waits for them. */
const env = () => ({
  ...process.env,
  // npm's name for the folder that its command was given in; the command line reads it.
  INIT_CWD: dir,
  DISPLAY: '',
  WAYLAND_DISPLAY: '',
  PIXWATCH_DATA: dataDir,
  PIXWATCH_MODELS: join(dir, 'file', 'models'),
});

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

interface Run {
  readonly process: ChildProcess;
  readonly out: string[];
  readonly err: string[];
  readonly ended: Promise<number | null>;
}

function start(args: string[], program = launcher, nodeArgs: string[] = []): Run {
  const child = spawn(process.execPath, [...nodeArgs, program, ...args], { env: env(), cwd: dir });
  started.push(child);
  const run: Run = { process: child, out: [], err: [], ended: once(child, 'close').then(([code]) => code) };
  child.stdout.on('data', (chunk) => run.out.push(String(chunk)));
  child.stderr.on('data', (chunk) => run.err.push(String(chunk)));
  return run;
}

async function run(...args: string[]) {
  const { ended, out, err } = start(args);
  const code = await ended;
  return { code, out: out.join(''), err: err.join('') };
}

const saysOn = (lines: string[], text: RegExp) => vi.waitFor(() => expect(lines.join('')).toMatch(text), { timeout: 20_000, interval: 50 });

describe('one clear sentence and an exit code', () => {
  test('for help', async () => {
    expect(await run('--help')).toMatchObject({ code: 0, out: expect.stringContaining('pixwatch search QUERY'), err: '' });
  });

  test('for a command line that makes no sense', async () => {
    expect(await run('frobnicate')).toEqual({
      code: 2,
      out: '',
      err: 'There is no command "frobnicate". To open a folder: pixwatch --folder DIR. See pixwatch --help.\n',
    });
  });

  test('for a folder that cannot be read', async () => {
    expect(await run('watch', 'nowhere')).toEqual({
      code: 1,
      out: '',
      err: `The folder ${join(dir, 'nowhere')} cannot be read: it does not exist.\n`,
    });
    expect(await run('--folder', 'file', '--headless')).toMatchObject({ code: 1, err: expect.stringMatching(/it is no folder\.\n$/) });
  });

  test('for a data folder without a library', async () => {
    const { code, out, err } = await run('search', 'dog', '--data', join(dir, 'empty'));
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/no library .*start Pixwatch with this data folder first\n$/);
  });

  test('for a data folder that cannot be made', async () => {
    const { code, err } = await run('watch', '.', '--data', join(dir, 'file', 'data'));
    expect(code).toBe(1);
    expect(err).toMatch(/^The data folder .* cannot be used: .*Choose another with --data\.\n$/);
  });

  test('for a port that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const { code, err } = await run('cloud', '--port', String(port));
    expect(code).toBe(1);
    expect(err).toMatch(new RegExp(`^[^\n]*port ${port}[^\n]*\n$`, 'i'));
    taken.close();
  });
});

describe('search', () => {
  test('tells programs how long a video is', async () => {
    const data = join(dir, 'videos');
    await mkdir(data);
    const { db } = openDatabase(indexFile(data), { clock: systemClock });
    apply(db, recordOf('clip.mp4', { ext: 'mp4', media: mediaOf({ kind: 'video', durationMs: 12_340 }) }));
    db.close();
    const { items } = JSON.parse((await run('search', 'is:video', '--json', '--data', data)).out);
    expect(items).toEqual([expect.objectContaining({ name: 'clip.mp4', kind: 'video', durationMs: 12_340, paths: [] })]);
  });
});

describe('cloud', () => {
  test('prints what other tools need, and ends on Ctrl+C', async () => {
    const cloud = start(['cloud']);
    await saysOn(cloud.err, /Ctrl\+C ends it/);
    const exported = Object.fromEntries([...cloud.out.join('').matchAll(/^export (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]));
    expect(Object.keys(exported)).toEqual([
      'AWS_ENDPOINT_URL',
      'AWS_REGION',
      'AWS_DEFAULT_REGION',
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
    ]);
    const s3 = new S3Client({
      endpoint: exported['AWS_ENDPOINT_URL'] ?? '',
      region: exported['AWS_REGION'] ?? '',
      credentials: { accessKeyId: exported['AWS_ACCESS_KEY_ID'] ?? '', secretAccessKey: exported['AWS_SECRET_ACCESS_KEY'] ?? '' },
    });
    const { Buckets } = await s3.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual(['pixwatch-input', 'pixwatch-output']);
    cloud.process.kill('SIGINT');
    expect(await cloud.ended).toBe(0);
  });
});

describe('a second start', () => {
  test('names the page of the first; reading commands answer meanwhile', async () => {
    const photos = join(dir, 'photos');
    await mkdir(photos);
    await writeFile(join(photos, 'notes.txt'), 'no photo');
    const first = start(['--folder', photos, '--headless']);
    await saysOn(first.out, /at http:\/\/127\.0\.0\.1:\d+\/#token=/);
    const [url = ''] = /http:\S+/.exec(first.out.join('')) ?? [];
    expect(await (await fetch(url)).text()).toContain('<title>Pixwatch</title>');

    const second = await run('--headless');
    expect(second).toMatchObject({ code: 0, out: expect.stringContaining(url), err: expect.stringContaining('already runs') });
    const more = join(dir, 'more photos');
    await mkdir(more);
    expect(await run('--folder', more, '--headless')).toMatchObject({ code: 0, err: expect.stringContaining(`It watches ${more} now.`) });
    expect(await run('--folder', join(dir, 'data'), '--headless')).toMatchObject({
      code: 1,
      err: expect.stringContaining("Pixwatch's own data"),
    });
    expect(await run('watch', photos)).toMatchObject({ code: 1, err: expect.stringContaining(`Use its page, ${url}`) });
    // As the running one says.
    expect(JSON.parse((await run('status', '--json')).out)).toMatchObject({
      isLive: true,
      costs: 'free',
      files: { skipped: 1 },
      folders: [{ path: more }, { path: photos }],
      backend: { inUse: 'thisComputer' },
    });
    expect(await run('search', 'dog')).toMatchObject({ code: 0, out: '', err: '0 found.\n' });
    expect(await run('costs')).toMatchObject({ code: 0, out: 'This backend costs nothing.\n' });
    const [id = ''] = (await run('rules', 'add', 'Cat')).out.split(' ');
    expect((await run('rules')).out).toBe(`${id}  Cat: Cat >= 80 (desktop)\n`);
    expect(await run('rules', 'remove', id)).toMatchObject({ code: 0 });

    first.process.kill('SIGTERM');
    expect(await first.ended).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
    const atRest = JSON.parse((await run('status', '--json')).out);
    expect(atRest).toMatchObject({ isLive: false, files: { skipped: 1 }, costs: null, offline: null, scanning: null });
    expect(await run('status')).toMatchObject({ err: expect.stringContaining('Pixwatch does not run') });
  });
});

test('an answer of which nobody wants the rest, as with `| head`, is no failure', async () => {
  const { process: child, err, ended } = start(['--help']);
  child.stdout?.destroy();
  expect(await ended).toBe(0);
  expect(err.join('')).toBe('');
});

describe('rules', () => {
  test('are made, listed and removed', async () => {
    const { code, out } = await run('rules', 'add', 'Dog', '--min-confidence', '90', '--by', 'desktop,email');
    expect(code).toBe(0);
    const [id = ''] = out.split(' ');
    expect((await run('rules')).out).toBe(`${id}  Dog: Dog >= 90 (desktop,email)\n`);
    expect(await run('rules', 'remove', id)).toMatchObject({ code: 0 });
    expect(await run('rules')).toMatchObject({ out: '', err: 'No rules.\n' });
  });
});

describe('connect', () => {
  const other = fileURLToPath(new URL('../../../package.json', import.meta.url));

  test('says what is wrong with the command line and with the file', async () => {
    expect(await run('connect')).toMatchObject({ code: 2, err: expect.stringContaining('Name the connection file') });
    expect(await run('connect', 'x.json')).toMatchObject({ code: 2, err: expect.stringContaining('either --user NAME or --profile NAME') });
    expect(await run('connect', 'x.json', '--profile', 'p')).toMatchObject({ code: 1, err: expect.stringContaining('cannot be read') });
    expect(await run('connect', other, '--profile', 'p')).toMatchObject({ code: 1, err: expect.stringContaining('connection file') });
    expect(await run('sign-out')).toMatchObject({ code: 1, err: expect.stringContaining('No backend on AWS is known here yet.') });
  });
});

describe('an older Node', () => {
  // A process cannot be older than it is, but it can be told so.
  const pretend = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })`;

  test.runIf(process.platform === 'linux' && process.arch === 'x64')('is replaced by the one that npm installed', async () => {
    const replaced = start(['frobnicate'], launcher, ['--import', pretend]);
    expect(await replaced.ended).toBe(2);
    expect(replaced.err.join('')).toContain('There is no command');
  });

  test('is told what it lacks where npm installed none', async () => {
    const alone = join(dir, 'pixwatch.mjs');
    await copyFile(launcher, alone);
    const refused = start([], alone, ['--import', pretend]);
    expect(await refused.ended).toBe(1);
    expect(refused.err.join('')).toMatch(/^Pixwatch needs Node 24 or newer, and this is 20\.20\.2\. .*\n$/);
  });
});

describe('watch --until-idle', () => {
  test('ends with 1 and the reason while sending is paused', async () => {
    const data = join(dir, 'paused');
    await mkdir(data);
    const { db } = openDatabase(indexFile(data), { clock: systemClock });
    writeMeta(db, pausedKey, 'yes');
    db.close();
    const { code, err } = await run('watch', await folderWith('paused photos', 'a dog'), '--until-idle', '--data', data);
    expect(code).toBe(1);
    expect(err).toMatch(/Sending is paused/);
  });

  test('ends with 1 and the reason when nobody is signed in', async () => {
    const data = join(dir, 'signed out');
    await mkdir(data);
    const place = {
      endpoint: 'http://127.0.0.1:9',
      region: 'us-east-1',
      inputBucket: 'photos-in',
      outputBucket: 'photos-out',
      table: 'table',
    };
    const signIn = { userPool: 'us-east-1_Example01', userPoolClient: 'client1', identityPool: 'us-east-1:0a' };
    const file = { version: 1, name: 'family', ...place, commandsFunction: 'commands', signIn } as const;
    await writeChoice(data, {
      version: 1,
      inUse: 'aws',
      aws: { file, as: { kind: 'user', user: 'anna' }, library: 'us-east-1:1' as LibraryId },
    });
    const { code, err } = await run('watch', await folderWith('photos of nobody', 'a dog'), '--until-idle', '--data', data);
    expect(code).toBe(1);
    expect(err).toMatch(/Nobody is signed in to the cloud, so this would never end\. Sign in: pixwatch connect FILE --user NAME\n$/);
  });

  test('ends with 1 and the reasons when files wait for budget, and when a place inside cannot be read', async () => {
    const data = join(dir, 'waiting');
    await mkdir(data);
    const { db } = openDatabase(indexFile(data), { clock: systemClock });
    apply(db, recordOf('a dog', { outcome: { kind: 'waiting', reason: 'The budget of this month is spent.' } }));
    db.close();
    const photos = await folderWith('waiting photos', 'a dog');
    await mkdir(Buffer.from(`${photos}/\u00dcbung`, 'latin1'));
    const { code, err } = await run('watch', photos, '--until-idle', '--data', data);
    expect(code).toBe(1);
    expect(err).toMatch(/1 file stored, to be looked at when there is budget again/);
    expect(err).toMatch(/bung cannot be read\. Its name is no valid text/);
  });

  async function folderWith(name: string, content: string): Promise<string> {
    const folder = join(dir, name);
    await mkdir(folder);
    await writeFile(join(folder, 'a.jpg'), content);
    return folder;
  }

  test('ends with the reason when pictures cannot be looked at, and the photo is stored all the same', async () => {
    const photos = join(dir, 'photos to watch');
    await mkdir(photos);
    await copyFile(fileURLToPath(new URL('../../../desktop/electron/icon.png', import.meta.url)), join(photos, 'icon.png'));
    const data = join(dir, 'data without models');
    const { code, err } = await run('watch', photos, '--until-idle', '--data', data);
    expect(code).toBe(1);
    expect(err).toMatch(/models/);
    expect(JSON.parse((await run('status', '--json', '--data', data)).out).files).toMatchObject({ analysing: 1 });
  });
});
