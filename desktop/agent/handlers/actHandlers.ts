import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, relative, sep } from 'node:path';
import type { agentMethods, WatchedFolder } from '../../../shared/contract.ts';
import { InvalidInput } from '../../../shared/errors.ts';
import type { Handlers } from '../../../shared/rpc.ts';
import { markAlertsSeen } from '../alerts/alerts.ts';
import { keptVideosSize, lookAtKept } from '../costs/keptVideos.ts';
import { saveOriginal } from '../media/saveOriginal.ts';
import type { Parts } from '../parts.ts';
import { dryRun } from '../rules/dryRun.ts';
import { deleteRule, saveRule } from '../rules/rules.ts';
import { isInside, listFolders } from '../watch/folders.ts';
import type { ReadHandlers } from './readHandlers.ts';

export type ActHandlers = Omit<Handlers<typeof agentMethods>, keyof ReadHandlers>;

/** The calls that do something, or ask the cloud. */
export function actHandlers({
  db,
  clock,
  dataDir,
  watch,
  queue,
  sync,
  redrives,
  costs,
  media,
  commands,
  cloud,
  events,
}: Parts): ActHandlers {
  const done = {};
  return {
    media({ asset, rendition }) {
      const revision = db.prepare('SELECT revision FROM asset WHERE id = ?').get(asset)?.['revision'];
      return media.get(asset, rendition, Number(revision ?? 0));
    },
    history: commands.history,
    original: commands.original,
    restoreOriginal: commands.restoreOriginal,
    async saveOriginal({ asset, folder }) {
      return saveOriginal(cloud, asset, await commands.original({ asset }), wholePath(folder ?? '~/Downloads'));
    },

    async retry({ path }) {
      await queue.retry(path);
      await redrives.byHand(path);
      queue.wake();
      sync.wake();
      events.changed('status');
      return done;
    },
    async pause() {
      queue.pause();
      events.changed('status');
      return done;
    },
    async resume() {
      queue.resume();
      sync.wake();
      events.changed('status');
      return done;
    },

    costs: costs.read,
    async approveCosts() {
      await costs.approve();
      return done;
    },
    async keptVideos() {
      const size = keptVideosSize(db);
      return { videos: size.videos, ...(await costs.of(size)) };
    },
    async lookAtKept() {
      const asked = await lookAtKept(db, commands);
      sync.wake();
      return { asked };
    },
    async resumeWaiting() {
      const answer = await commands.resume({});
      sync.wake();
      return answer;
    },

    async addFolder({ path, ignored }) {
      const whole = wholePath(path);
      await refuseDataFolder(whole, dataDir);
      const { id } = await watch.add(whole, ignored);
      events.changed('folders', 'status');
      return listFolders(db).find((folder) => folder.id === id) as WatchedFolder;
    },
    async ignoreInFolder({ id, ignored }) {
      await watch.ignore(id, ignored);
      events.changed('folders', 'status');
      return done;
    },
    async removeFolder({ id }) {
      await watch.remove(id);
      events.changed('folders', 'status');
      return done;
    },

    async saveRule({ id, draft }) {
      const rule = saveRule(db, clock, id, draft);
      sync.wake();
      events.changed('rules');
      return rule;
    },
    async deleteRule({ id }) {
      deleteRule(db, clock, id);
      sync.wake();
      events.changed('rules');
      return done;
    },
    dryRun: ({ draft }) => dryRun(db, draft),

    async markAlertsSeen() {
      await markAlertsSeen(db);
      events.changed('status');
      return done;
    },
    subscriptions: commands.subscriptions,
    subscribe: commands.subscribe,
    unsubscribe: commands.unsubscribe,
  };
}

/** A person may write `~` for the home folder. What a path from nowhere is meant from, nobody can know here. */
function wholePath(path: string): string {
  const whole = path.replace(/^~(?=$|[/\\])/, homedir());
  if (isAbsolute(whole)) return whole;
  throw new InvalidInput(`${path} is not a whole path. Write it like ${join(homedir(), 'Pictures')}.`);
}

/** The try-out library is the only place in the data folder with photos for people; the rest is Pixwatch's own. */
async function refuseDataFolder(path: string, dataDir: string): Promise<void> {
  // One that cannot be found is refused by the watch, which says why.
  const real = await realpath(path).catch(() => path);
  const isTryOut = relative(dataDir, real).split(sep)[0] === 'try-out';
  if (real === dataDir || (isInside(real, dataDir) && !isTryOut)) {
    throw new InvalidInput(`${path} holds Pixwatch's own data. Choose a folder with your photos.`);
  }
}
