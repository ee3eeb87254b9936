import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import { copyApart } from '../../desktop/agent/db/apart.ts';
import { keepLogShort } from '../../desktop/agent/db/keepLogShort.ts';
import { indexFile, openDatabase } from '../../desktop/agent/db/openDatabase.ts';
import { migrations } from '../../desktop/agent/db/schema.ts';
import { actHandlers } from '../../desktop/agent/handlers/actHandlers.ts';
import { readHandlers } from '../../desktop/agent/handlers/readHandlers.ts';
import { type Parts, startParts } from '../../desktop/agent/parts.ts';
import { drainQueue } from '../../desktop/agent/queue/drainQueue.ts';
import { pullChanges } from '../../desktop/agent/sync/pullChanges.ts';
import type { UploadTarget } from '../../desktop/agent/upload/uploadFile.ts';
import { systemClock } from '../../shared/clock.ts';
import { assetItem } from '../../shared/keys.ts';
import { fileStateKinds } from '../../shared/model/localFile.ts';
import type { Condition } from '../../shared/model/rule.ts';
import { idOf, labelOf, library, lineOf, recordOf } from '../desktop/agent/search/library.ts';
import { fill } from '../desktop/agent/search/manyAssets.ts';
import type { StoreMessage } from './store.ts';

/**
 * How long each thing that the agent does holds its event loop, with an index of so many files that are on a drive which is off. The limit is 50 ms. The
 * cloud is a process of its own. Usage: node test/bench/loop.ts [files]
 */
const limitMs = 50;
const lookEveryMs = 1;
const [first = '80000', toFill] = process.argv.slice(2);
const files = Number(first);
const changes = 1000;

if (toFill !== undefined) {
  fillIndex(toFill);
  process.exit();
}
const scratch = mkdtempSync(join(tmpdir(), 'pixwatch-bench-'));
process.on('exit', () => execFileSync('rm', ['-rf', scratch]));

/** Of the version before, in a process of its own, as it takes much memory: all searchable, with an alert for every tenth. */
function fillIndex(file: string): void {
  const { db } = openDatabase(file, { clock: systemClock, schema: migrations.slice(0, -1) });
  fill(db, files, 1);
  // What a record of a real photo holds beside its labels.
  const lines = JSON.stringify(Array.from({ length: 20 }, (_, i) => lineOf(`line ${i} of a sign`)));
  db.prepare("UPDATE asset SET record = json_set(record, '$.text', json(?))").run(lines);
  // The texts are there, too.
  db.exec('DELETE FROM text_due');
  db.exec(
    "INSERT INTO alert (asset, rule, rule_name, because, at) SELECT n, 'r', 'Dogs', 'Dog 90 %', taken_at FROM asset WHERE n % 10 = 0",
  );
  db.close();
}

/**
 * Does `work` and says how long the event loop waited at most meanwhile, and how much it computed at most between two looks: on a busy machine the first
 * is also what others took.
 */
async function measure(what: string, work: () => unknown): Promise<void> {
  const longest = { waitMs: 0, cpuMs: 0 };
  let [at, cpu] = [performance.now(), cpuNow()];
  const look = () => {
    const [nextAt, nextCpu] = [performance.now(), cpuNow()];
    longest.waitMs = Math.max(longest.waitMs, nextAt - at - lookEveryMs);
    longest.cpuMs = Math.max(longest.cpuMs, nextCpu - cpu);
    [at, cpu] = [nextAt, nextCpu];
  };
  const timer = setInterval(look, lookEveryMs);
  const began = performance.now();
  await work();
  const tookMs = performance.now() - began;
  await sleep(20);
  clearInterval(timer);
  const { waitMs, cpuMs } = longest;
  const ratio = `${(waitMs / limitMs).toFixed(2)} ×`.padStart(8);
  const computed = `${cpuMs.toFixed(0).padStart(5)} ms`;
  console.log(`${waitMs.toFixed(0).padStart(5)} ms ${ratio} ${computed} ${waitMs > limitMs ? '!' : ' '} ${what} (${tookMs.toFixed(0)} ms)`);
}

function cpuNow(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

async function startCloud(): Promise<StoreMessage> {
  const store = fork(join(import.meta.dirname, 'store.ts'), [join(scratch, 'store')]);
  const [message] = await once(store, 'message');
  return message as StoreMessage;
}

const { connection, credentials } = await startCloud();
const start = (dataDir: string) =>
  startParts({ dataDir, connection, credentials: async () => credentials, clock: systemClock, log: () => {} });
const handlersOf = (parts: Parts) => ({ ...readHandlers(parts.db, parts.live), ...actHandlers(parts) });
/** Until the drive was found to be off, and the cloud was asked. */
const settle = async ({ watch, sync }: Parts) => {
  while (watch.isScanning() || !watch.isIdle()) await sleep(20);
  await sync.ready;
};

async function measureQuestions(agent: Parts): Promise<void> {
  const ask = handlersOf(agent);
  await measure('status', () => ask.status({}));
  for (const text of ['', 'dog', 'label:person', 'is:alert', 'is:flagged', 'text:sign', '-dog is:photo after:2012']) {
    const page = await ask.search({ text, cursor: null, limit: 100 });
    await measure(`search "${text}", first page`, () => ask.search({ text, cursor: null, limit: 500 }));
    await measure(`search "${text}", next page`, () => ask.search({ text, cursor: page.next, limit: 500 }));
  }
  await measure('completion', () => ask.complete({ prefix: 'l', limit: 500 }));
  await measure('a photo', () => ask.asset({ asset: idOf('20') }));
  await measure('files, first page', () => ask.files({ kinds: [], cursor: null, limit: 500 }));
  const { next } = await ask.files({ kinds: ['searchable'], cursor: null, limit: 500 });
  await measure('files, next page', () => ask.files({ kinds: ['searchable'], cursor: next, limit: 500 }));
  await measure('folders', () => ask.folders({}));
  await measure('alerts, a page', () => ask.alerts({ cursor: null, limit: 500 }));
  await measure('alerts, all seen', () => ask.markAlertsSeen({}));
  for (const condition of conditions) {
    const draft = { name: 'A rule', condition, notify: { desktop: true, sns: false } };
    await measure(`dry run of a rule: ${condition.kind}`, () => ask.dryRun({ draft }));
  }
  await putChanges(agent);
  await measure(`${changes} changes`, () => pullAll(agent));
}

async function measureRemoval(agent: Parts): Promise<void> {
  await measure('a folder is removed', () => handlersOf(agent).removeFolder({ id: 1 }));
  await measure('texts of what is gone', () => sleep(3000));
}

const conditions: readonly Condition[] = [
  { kind: 'label', label: 'Person', minConfidence: 10 },
  { kind: 'text', text: 'sign' },
  { kind: 'moderation', label: null, minConfidence: 50 },
  { kind: 'hours', from: 8, until: 18 },
];

/** As the pipeline does: half of them assets that are known. */
async function putChanges({ cloud: { dynamodb, table } }: Parts): Promise<void> {
  for (let at = 0; at < changes; at += 25) {
    const puts = Array.from({ length: 25 }, (_, i) => {
      const labels = Array.from({ length: 10 }, (_, k) => labelOf(`Label${(at + i + k) % 900} Thing`));
      const record = recordOf(`${(at + i) % 2 === 0 ? '' : 'new '}${at + i}`, {
        revision: 2,
        labels,
        changedAt: new Date(systemClock.now() - 1e6 + at + i).toISOString(),
      });
      return { PutRequest: { Item: { ...assetItem(library, record.asset), ...record } } };
    });
    await dynamodb.send(new BatchWriteCommand({ RequestItems: { [table]: puts } }));
  }
}

const pullAll = ({ db, cloud }: Parts) =>
  pullChanges(db, cloud, {
    overlapMs: 1e9,
    now: systemClock.now(),
    signal: new AbortController().signal,
    onApplied: () => {},
    onBadItem: (_, error) => console.error(error),
  });

async function measureQueue(agent: Parts): Promise<void> {
  const ask = handlersOf(agent);
  await measure('the queue for 11 s', () => sleep(11_000));
  await measure('status', () => ask.status({}));
  for (const kinds of [['unreachable'], ['queued'], [...fileStateKinds]] as const) {
    await measure(`files: ${kinds.length > 1 ? 'all' : kinds[0]}`, () => ask.files({ kinds: [...kinds], cursor: null, limit: 500 }));
  }
  agent.db.exec("UPDATE local_file SET kind = 'known' WHERE path < '/home/ann/Pictures/2001'");
  await measure('pause', () => ask.pause({}));
  await measure('resume', () => ask.resume({}));
  agent.db.exec("UPDATE upload_job SET state = 'failed'");
  await measure('all that failed once more', () => ask.retry({ path: null }).catch(() => {}));
}

/** With a short wait for files to turn up again. */
async function measureGone(dir: string, target: UploadTarget): Promise<void> {
  const { db } = openDatabase(indexFile(dir), { clock: systemClock });
  const nothing = () => {};
  const options = {
    db,
    clock: systemClock,
    target,
    abandonAfterMs: 1000,
    onStale: nothing,
    onStored: nothing,
    onChange: nothing,
    onError: console.error,
  };
  db.exec("UPDATE local_file SET kind = 'unreachable'");
  const queue = drainQueue(options);
  await sleep(1000);
  db.exec('DELETE FROM local_file');
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  const closeLog = keepLogShort(db, indexFile(dir), console.error);
  await measure('all files of the queue are gone', () => queue.filesGone());
  await measure('they are given up', async () => {
    for (let left = 1; left > 0; await sleep(200)) left = Number(db.prepare('SELECT count(*) AS n FROM upload_job').get()?.['n']);
  });
  await queue.close();
  await closeLog();
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1024 ** 2);
}

const [old, fresh, other] = ['old', 'fresh', 'other'].map((name) => join(scratch, name)) as [string, string, string];
for (const dir of [old, fresh, other]) await mkdir(dir);
execFileSync(process.execPath, [import.meta.filename, first, indexFile(old)]);

console.log(`${files} files: the longest wait of the event loop, against the limit of ${limitMs} ms; the longest computing`);
let parts: Parts | undefined;
await measure('start on an index of the version before', async () => {
  parts = await start(old);
  await settle(parts);
});
await measure('end', () => parts?.close());
await measure('start', async () => {
  parts = await start(old);
  await settle(parts);
});
if (!parts) throw new Error('not started');
await measureQuestions(parts);
await measure('end', parts.close);

await measure('copy of the index for another backend', () => copyApart(old, fresh));
await copyApart(old, other);
parts = await start(old);
await settle(parts);
await measureRemoval(parts);
await parts.close();
const waiting = await start(fresh);
await measure('start on it: all wait to be sent, on a drive that is off', () => settle(waiting));
await measureQueue(waiting);
await measure('end', waiting.close);
await measureGone(other, waiting.cloud);
console.log(
  `memory (RSS): ${megabytes(process.memoryUsage.rss())} MB now, at most ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
);
process.exit();
