import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openAgentReader } from '../../../desktop/agent/agent.ts';
import { InvalidInput } from '../../../shared/errors.ts';
import type { RuleId } from '../../../shared/model/rule.ts';
import { idOf, labelOf } from './search/library.ts';
import { startTestAgent, startTestCloud, type TestAgent, type TestCloud } from './testAgent.ts';

const soon = { timeout: 20_000, interval: 50 };
const draft = {
  name: 'Dogs',
  condition: { kind: 'label' as const, label: 'Dog', minConfidence: 80 },
  notify: { desktop: true, sns: false },
};
const match = { rule: 'r1' as RuleId, revision: 1, name: 'Dogs', because: 'Dog 97 %', notify: { desktop: true, sns: false } };

interface Home {
  readonly dir: string;
  /** A folder to be watched. */
  readonly photos: string;
  readonly cloud: TestCloud;
  /** Starts an agent on a data folder. */
  start(name?: string): Promise<TestAgent>;
  save(name: string, content: string): Promise<void>;
}

/** A test in folders and a cloud of its own, so that several can run at a time: most of their time is waiting. */
const inHome = (work: (home: Home) => Promise<void>) => async () => {
  const dir = await mkdtemp(join(tmpdir(), 'pixwatch-agent-'));
  const photos = join(dir, 'photos');
  await mkdir(photos);
  const cloud = await startTestCloud(dir);
  const agents: TestAgent[] = [];
  const start = async (name = 'data') => {
    const agent = await startTestAgent(cloud, join(dir, name));
    agents.push(agent);
    return agent;
  };
  try {
    await work({ dir, photos, cloud, start, save: (name, content) => writeFile(join(photos, name), content) });
  } finally {
    for (const agent of agents) await agent.close();
    await cloud.stop();
    await rm(dir, { recursive: true });
  }
};

test.concurrent(
  'files are sent, analysed and found; each has its state and all listeners hear of it',
  inHome(async ({ cloud, photos, save, start }) => {
    const agent = await start();
    await save('<b>dog<b>.jpg', 'a dog');
    await save('film.mp4', 'a film');
    await save('broken.jpg', 'damaged');
    await save('notes.txt', 'no photo');
    await save('empty.jpg', '');
    expect(await agent.handlers.addFolder({ path: photos })).toMatchObject({ path: photos, problem: null });
    await vi.waitFor(
      async () => expect(Object.values(await agent.states()).filter((state) => state === 'analysing')).toHaveLength(3),
      soon,
    );
    expect((await cloud.originals()).toSorted()).toEqual(
      [`${idOf('a dog')}.jpg`, `${idOf('a film')}.mp4`, `${idOf('damaged')}.jpg`].map((name) => `inbox/local/${name}`).toSorted(),
    );

    const idle = agent.untilIdle();
    await cloud.finish('a dog', { labels: [labelOf('Dog', 97)], matches: [match] });
    await cloud.finish('a film', { ext: 'mp4', outcome: { kind: 'kept', reason: 'Videos are not analysed yet.' } });
    await cloud.finish('damaged', { outcome: { kind: 'rejected', reason: 'It is damaged.' }, media: null });
    expect(await idle).toMatchObject({
      failed: [
        { path: join(photos, 'broken.jpg'), asset: idOf('damaged'), bytes: 7, state: { kind: 'rejected', reason: 'It is damaged.' } },
      ],
    });
    expect(await agent.states()).toEqual({
      '<b>dog<b>.jpg': 'searchable',
      'film.mp4': 'kept',
      'broken.jpg': 'rejected',
      'notes.txt': 'skipped',
      'empty.jpg': 'skipped',
    });
    expect(await agent.found('label:dog>=90')).toEqual(['<b>dog<b>.jpg']);
    expect(await agent.found('photos film')).toEqual(['film.mp4']);
    expect(await agent.handlers.complete({ prefix: 'd', limit: 20 })).toEqual([{ label: 'Dog', count: 1 }]);
    expect(await agent.handlers.asset({ asset: idOf('a dog') })).toMatchObject({
      record: { revision: 1 },
      files: [{ path: join(photos, '<b>dog<b>.jpg') }],
    });

    await vi.waitFor(() => expect(agent.events.map(({ kind }) => kind)).toContain('libraryChanged'), soon);
    const alert = {
      asset: idOf('a dog'),
      rule: 'r1',
      ruleName: 'Dogs',
      because: 'Dog 97 %',
      fileName: '<b>dog<b>.jpg',
      at: expect.any(String),
      seen: false,
    };
    expect(agent.events.filter(({ kind }) => kind === 'alertRaised')).toEqual([{ kind: 'alertRaised', alert }]);
    const status = await agent.handlers.status({});
    expect(status).toMatchObject({
      offline: null,
      paused: false,
      problem: null,
      scanning: false,
      assets: 2,
      files: { searchable: 1, kept: 1, rejected: 1, skipped: 2, analysing: 0 },
      progress: { filesTotal: 0 },
      unseenAlerts: 1,
    });
    await vi.waitFor(
      () => expect(agent.events.filter((e) => e.kind === 'statusChanged').at(-1)).toEqual({ kind: 'statusChanged', status }),
      soon,
    );
    const told = agent.events.flatMap((event) => (event.kind === 'statusChanged' ? JSON.stringify(event.status) : []));
    expect(told.filter((text, i) => text === told[i - 1])).toEqual([]);

    await agent.handlers.markAlertsSeen({});
    expect((await agent.handlers.alerts({ cursor: null, limit: 10 })).items).toEqual([{ ...alert, seen: true }]);
    const { path } = await agent.handlers.media({ asset: idOf('a dog'), rendition: 'thumb' });
    expect(await readFile(path, 'utf8')).toBe('thumb of a dog');
  }),
);

test.concurrent(
  'a renamed file is found by its new name; nothing is sent again',
  inHome(async ({ cloud, photos, save, start }) => {
    const agent = await start();
    await save('before.jpg', 'a dog');
    await agent.handlers.addFolder({ path: photos });
    await vi.waitFor(async () => expect(await agent.states()).toEqual({ 'before.jpg': 'analysing' }), soon);
    await cloud.finish('a dog');
    await agent.untilIdle();
    const before = agent.events.length;
    await rename(join(photos, 'before.jpg'), join(photos, 'after.jpg'));
    await vi.waitFor(async () => expect(await agent.found('after')).toEqual(['after.jpg']), soon);
    expect(await agent.found('before')).toEqual([]);
    await agent.untilIdle();
    const later = agent.events.slice(before).flatMap((event) => (event.kind === 'statusChanged' ? event.status : []));
    expect(later.length).toBeGreaterThan(0);
    expect(later.every(({ progress, files }) => progress.filesTotal === 0 && files.queued === 0 && files.uploading === 0)).toBe(true);

    const [folder] = await agent.handlers.folders({});
    await agent.handlers.removeFolder({ id: folder?.id ?? 0 });
    expect(await agent.handlers.folders({})).toEqual([]);
    await vi.waitFor(async () => expect(await agent.found('after')).toEqual([]), soon);
    expect(await agent.found('')).toEqual(['a dog']);
  }),
);

test.concurrent(
  'a new installation sends nothing that the library holds, and does not notify of its past',
  inHome(async ({ cloud, photos, save, start }) => {
    await cloud.finish('a dog', { labels: [labelOf('Dog')], matches: [match] });
    await save('dog.jpg', 'a dog');
    const agent = await start();
    await agent.handlers.addFolder({ path: photos });
    await vi.waitFor(async () => expect(await agent.states()).toEqual({ 'dog.jpg': 'searchable' }), soon);
    expect(await agent.untilIdle()).toMatchObject({ failed: [] });
    expect(await cloud.originals()).toEqual([]);
    expect((await agent.handlers.alerts({ cursor: null, limit: 10 })).items).toMatchObject(
      [{ fileName: 'a dog', seen: true }].map(() => ({ fileName: 'dog.jpg', seen: true })),
    );
    expect(agent.events.map(({ kind }) => kind)).not.toContain('alertRaised');
  }),
);

test.concurrent(
  'a lost or damaged index is built anew without sending a byte',
  inHome(async ({ cloud, photos, save, start }) => {
    const first = await start();
    await save('dog.jpg', 'a dog');
    await first.handlers.addFolder({ path: photos });
    await vi.waitFor(async () => expect(await first.states()).toEqual({ 'dog.jpg': 'analysing' }), soon);
    await cloud.finish('a dog', { labels: [labelOf('Dog')] });
    await first.untilIdle();
    await first.close();
    await writeFile(join(first.dataDir, 'agent.db'), 'this is no database, whatever its name says'.repeat(1000));

    const again = await start();
    expect(again.lines[0]).toMatch(/^The local index was damaged and is built anew/);
    await again.handlers.addFolder({ path: photos });
    await vi.waitFor(async () => expect(await again.found('label:dog')).toEqual(['dog.jpg']), soon);
    expect(again.events.some((event) => event.kind === 'statusChanged' && event.status.progress.bytesSent > 0)).toBe(false);
  }),
);

test.concurrent(
  'without the cloud it says so, answers from what it knows, and goes on by itself',
  inHome(async ({ cloud, photos, save, start }) => {
    await cloud.finish('a dog', { labels: [labelOf('Dog')] });
    const before = await start();
    await vi.waitFor(async () => expect(await before.found('label:dog')).toHaveLength(1), soon);
    await before.close();
    await cloud.stop();

    const agent = await start();
    await save('cat.jpg', 'a cat');
    await agent.handlers.addFolder({ path: photos });
    await vi.waitFor(async () => expect((await agent.handlers.status({})).offline).toMatch(/^The cloud does not answer/), soon);
    await vi.waitFor(async () => expect(await agent.states()).toEqual({ 'cat.jpg': 'queued' }), soon);
    expect(await agent.found('label:dog')).toHaveLength(1);
    await expect(agent.handlers.history({ asset: idOf('a dog') })).rejects.toThrow('The cloud does not answer');
    await expect(agent.handlers.media({ asset: idOf('a dog'), rendition: 'thumb' })).rejects.toThrow('cannot be had right now');
    const rule = await agent.handlers.saveRule({ id: null, draft });
    expect(await agent.handlers.rules({})).toEqual([rule]);

    await cloud.start();
    await agent.handlers.resume({});
    await vi.waitFor(async () => expect(await agent.states()).toEqual({ 'cat.jpg': 'analysing' }), soon);
    await vi.waitFor(async () => expect((await agent.handlers.status({})).offline).toBeNull(), soon);
    const other = await start('other device');
    await vi.waitFor(async () => expect(await other.handlers.rules({})).toEqual([rule]), soon);
  }),
);

test.concurrent(
  'what a person ignores is not sent any more; what is in the library stays, and is not sent again when it is no longer ignored',
  inHome(async ({ cloud, photos, save, start }) => {
    const agent = await start();
    await save('dog.png', 'a dog');
    await cloud.finish('a dog', { labels: [labelOf('Dog')] });
    const { id } = await agent.handlers.addFolder({ path: photos });
    await vi.waitFor(async () => expect(await agent.states()).toEqual({ 'dog.png': 'searchable' }), soon);
    await agent.handlers.pause({});
    await mkdir(join(photos, 'raw'));
    for (const name of ['cat.png', 'raw/bird.jpg', 'fox.jpg']) await save(name, name);
    await vi.waitFor(
      async () => expect(await agent.states()).toMatchObject({ 'cat.png': 'queued', 'bird.jpg': 'queued', 'fox.jpg': 'queued' }),
      soon,
    );

    await agent.handlers.ignoreInFolder({ id, ignored: ['*.png', 'raw'] });
    const { items } = await agent.handlers.files({ kinds: ['skipped'], cursor: null, limit: 10 });
    expect(items.map(({ state }) => state)).toContainEqual({
      kind: 'skipped',
      reason: 'You left it out: it fits “*.png”.',
    });
    await agent.handlers.resume({});
    await vi.waitFor(
      async () => expect(await agent.states()).toEqual({ 'dog.png': 'skipped', 'cat.png': 'skipped', 'fox.jpg': 'analysing' }),
      soon,
    );
    expect(await cloud.originals()).toEqual([`inbox/local/${idOf('fox.jpg')}.jpg`]);
    expect(await agent.found('label:dog')).toHaveLength(1);

    await agent.handlers.ignoreInFolder({ id, ignored: ['raw'] });
    await vi.waitFor(
      async () => expect(await agent.states()).toEqual({ 'dog.png': 'searchable', 'cat.png': 'analysing', 'fox.jpg': 'analysing' }),
      soon,
    );
    expect(await cloud.originals()).toHaveLength(2);
    await expect(agent.handlers.ignoreInFolder({ id: 99, ignored: [] })).rejects.toThrow('not watched any more');
  }),
);

test.concurrent(
  'paused, nothing is sent, also after a restart',
  inHome(async ({ cloud, photos, save, start }) => {
    const agent = await start();
    await agent.handlers.pause({});
    await save('dog.jpg', 'a dog');
    await agent.handlers.addFolder({ path: photos });
    await vi.waitFor(async () => expect(await agent.states()).toEqual({ 'dog.jpg': 'queued' }), soon);
    await agent.close();

    const again = await start();
    expect(await again.handlers.status({})).toMatchObject({ paused: true, offline: null });
    await expect(again.untilIdle(AbortSignal.timeout(500))).rejects.toThrow();
    expect(await cloud.originals()).toEqual([]);
    await again.handlers.resume({});
    await vi.waitFor(async () => expect(await again.states()).toEqual({ 'dog.jpg': 'analysing' }), soon);
  }),
);

test.concurrent(
  'what the cloud gave up is tried again when asked',
  inHome(async ({ cloud, photos, save, start }) => {
    const agent = await start();
    await save('dog.jpg', 'a dog');
    await agent.handlers.addFolder({ path: photos });
    await vi.waitFor(async () => expect(await agent.states()).toEqual({ 'dog.jpg': 'analysing' }), soon);
    await cloud.finish('a dog', { outcome: { kind: 'failed', reason: 'Tried three times.' }, media: null });
    expect((await agent.untilIdle()).failed).toMatchObject([{ state: { kind: 'failed', reason: 'Tried three times.' } }]);

    await agent.handlers.retry({ path: join(photos, 'dog.jpg') });
    expect(await agent.states()).toEqual({ 'dog.jpg': 'analysing' });
    await cloud.finish('a dog', { revision: 2 });
    expect(await agent.untilIdle()).toMatchObject({ failed: [] });
    expect(await agent.states()).toEqual({ 'dog.jpg': 'searchable' });
  }),
);

test.concurrent(
  'that a folder is done says nothing of the others',
  inHome(async ({ dir, cloud, photos, save, start }) => {
    const agent = await start();
    const other = join(dir, 'other');
    await mkdir(other);
    await save('dog.jpg', 'a dog');
    await save('broken.jpg', 'damaged');
    await writeFile(join(other, 'cat.jpg'), 'a cat');
    const { id } = await agent.handlers.addFolder({ path: photos });
    const { id: otherId } = await agent.handlers.addFolder({ path: other });
    await cloud.finish('a cat');
    expect(await agent.untilIdle(undefined, [otherId])).toMatchObject({ files: { searchable: 1, analysing: 0 }, failed: [] });
    expect((await agent.handlers.status({ folders: [otherId] })).files).toMatchObject({ searchable: 1, analysing: 0, queued: 0 });

    await cloud.finish('a dog');
    await cloud.finish('damaged', { outcome: { kind: 'rejected', reason: 'It is damaged.' }, media: null });
    const done = await agent.untilIdle(undefined, [id]);
    expect(done).toMatchObject({ files: { searchable: 1, rejected: 1 }, failed: [{ path: join(photos, 'broken.jpg') }] });
    expect((await agent.untilIdle(undefined, [otherId])).failed).toEqual([]);
  }),
);

test.concurrent(
  'an alert whose process is killed before anybody was notified is raised at the next start, and at no other',
  inHome(async ({ dir, cloud, start }) => {
    await cloud.finish('a cat');
    const first = await start();
    await vi.waitFor(async () => expect(await first.found('')).toEqual(['a cat']), soon);
    await first.close();
    await cloud.finish('a dog', { matches: [match] });
    const { connection, credentials } = cloud;
    const script = join(import.meta.dirname, 'alerts', 'pullAndDie.ts');
    const killed = spawn(process.execPath, [script, join(dir, 'data', 'agent.db'), JSON.stringify({ connection, credentials })]);
    expect(await once(killed, 'exit')).toEqual([null, 'SIGKILL']);

    const raised = (agent: TestAgent) => agent.events.filter(({ kind }) => kind === 'alertRaised');
    const again = await start();
    await vi.waitFor(() => expect(raised(again)).toMatchObject([{ alert: { rule: match.rule, because: match.because } }]), soon);
    await again.close();
    const third = await start();
    await cloud.finish('a mouse');
    await third.handlers.resume({});
    await vi.waitFor(async () => expect(await third.found('')).toHaveLength(3), soon);
    expect(raised(third)).toEqual([]);
  }),
);

const lost = [
  { what: 'gave up and has no more', outcome: { kind: 'failed', reason: 'Tried three times.' }, state: 'failed' },
  // Claimed by an execution that failed without anybody hearing of it.
  { what: 'has begun with and lost', outcome: { kind: 'pending', execution: 'e' }, state: 'analysing' },
] as const;
for (const { what, outcome, state } of lost) {
  test.concurrent(
    `what the cloud ${what} is sent again when asked`,
    inHome(async ({ cloud, photos, save, start }) => {
      const agent = await start();
      const reaches = (kind: string) => vi.waitFor(async () => expect(await agent.states()).toEqual({ 'dog.jpg': kind }), soon);
      await save('dog.jpg', 'a dog');
      await agent.handlers.addFolder({ path: photos });
      await reaches('analysing');
      const [original] = await cloud.originals();
      await cloud.finish('a dog', { outcome, media: null });
      await reaches(state);
      await cloud.remove(original ?? '');

      await agent.handlers.retry({ path: join(photos, 'dog.jpg') });
      await vi.waitFor(async () => expect(await cloud.originals()).toEqual([original]), soon);
      await reaches('analysing');
      await cloud.finish('a dog', { revision: 2 });
      await reaches('searchable');
      expect(await agent.found('dog')).toEqual(['dog.jpg']);
    }),
  );
}

test.concurrent(
  'what was analysed but not filed is listed as failed, can be searched, and is tried again when asked',
  inHome(async ({ cloud, photos, save, start }) => {
    const agent = await start();
    await save('dog.jpg', 'a dog');
    await agent.handlers.addFolder({ path: photos });
    await vi.waitFor(async () => expect(await agent.states()).toEqual({ 'dog.jpg': 'analysing' }), soon);
    await cloud.finish('a dog', { unfiled: 'No rights.' });
    expect((await agent.untilIdle()).failed).toMatchObject([{ state: { kind: 'failed', reason: expect.stringMatching(/No rights\.$/) } }]);
    expect(await agent.found('dog')).toEqual(['dog.jpg']);

    await agent.handlers.retry({ path: null });
    expect(await agent.untilIdle()).toMatchObject({ failed: [] });
    expect(await agent.states()).toEqual({ 'dog.jpg': 'searchable' });
  }),
);

test.concurrent(
  'folders that cannot be watched are refused with a sentence',
  inHome(async ({ dir, photos, start }) => {
    const agent = await start();
    await writeFile(join(dir, 'file.jpg'), 'a dog');
    await mkdir(join(photos, 'inner'));
    await mkdir(join(agent.dataDir, 'thumbs'), { recursive: true });
    await mkdir(join(agent.dataDir, 'try-out'));
    await symlink(agent.dataDir, join(dir, 'link'));
    const watched = await agent.handlers.addFolder({ path: photos });
    const refusals: [string, RegExp][] = [
      [join(dir, 'nowhere'), /nowhere.*cannot be found/],
      ['Pictures', /is not a whole path/],
      [join(dir, 'file.jpg'), /is not a folder/],
      [join(photos, 'inner'), /which is watched already/],
      [dir, /which is watched already/],
      [agent.dataDir, /Pixwatch's own data/],
      [join(agent.dataDir, 'thumbs'), /Pixwatch's own data/],
      [join(dir, 'link'), /Pixwatch's own data/],
    ];
    for (const [path, sentence] of refusals) {
      const adding = agent.handlers.addFolder({ path });
      await expect(adding, path).rejects.toThrow(InvalidInput);
      await expect(adding, path).rejects.toThrow(sentence);
    }
    // The try-out library lies in the data folder, as the only one for people to look at.
    const tryOut = await agent.handlers.addFolder({ path: join(agent.dataDir, 'try-out') });
    expect(await agent.handlers.addFolder({ path: `${photos}/` })).toMatchObject({ id: watched.id });
    expect((await agent.handlers.folders({})).map(({ id }) => id).toSorted()).toEqual([watched.id, tryOut.id]);
  }),
);

test.concurrent(
  'rules, their dry run, and who gets alerts',
  inHome(async ({ cloud, start }) => {
    await cloud.finish('a dog', { labels: [labelOf('Dog', 97)] });
    const agent = await start();
    await vi.waitFor(async () => expect(await agent.found('label:dog')).toHaveLength(1), soon);
    expect(await agent.handlers.dryRun({ draft })).toMatchObject({ count: 1, newest: [{ name: 'a dog' }] });
    const rule = await agent.handlers.saveRule({ id: null, draft });
    const changed = await agent.handlers.saveRule({ id: rule.id as RuleId, draft: { ...draft, name: 'All dogs' } });
    expect(changed).toMatchObject({ name: 'All dogs', revision: 2 });
    await agent.handlers.deleteRule({ id: rule.id as RuleId });
    expect(await agent.handlers.rules({})).toEqual([]);
    await vi.waitFor(() => expect(agent.events.map(({ kind }) => kind)).toContain('rulesChanged'), soon);

    await agent.handlers.subscribe({ protocol: 'sms', endpoint: '+491701234567', rules: null });
    const subscriptions = await agent.handlers.subscriptions({});
    expect(subscriptions).toMatchObject([{ protocol: 'sms', endpoint: '+491701234567' }]);
    await agent.handlers.unsubscribe({ arn: subscriptions[0]?.arn ?? '' });
    expect(await agent.handlers.subscriptions({})).toEqual([]);
    await expect(agent.handlers.unsubscribe({ arn: 'arn:none' })).rejects.toThrow(InvalidInput);
  }),
);

test.concurrent(
  'another process may look while the agent runs',
  inHome(async ({ cloud, dir, start }) => {
    await cloud.finish('a dog', { labels: [labelOf('Dog')] });
    const agent = await start();
    await vi.waitFor(async () => expect(await agent.found('')).toHaveLength(1), soon);
    const { handlers, close } = openAgentReader(agent.dataDir);
    expect((await handlers.search({ text: 'dog', cursor: null, limit: 10 })).total).toBe(1);
    expect(await handlers.status({})).toMatchObject({ assets: 1, scanning: false, paused: false });
    await agent.handlers.pause({});
    expect(await handlers.status({})).toMatchObject({ paused: true });
    expect(await handlers.asset({ asset: idOf('a dog') })).toMatchObject({ files: [] });
    await expect(handlers.asset({ asset: idOf('nothing') })).rejects.toThrow(InvalidInput);
    close();
    expect(() => openAgentReader(join(dir, 'nothing'))).toThrow(InvalidInput);
  }),
);
