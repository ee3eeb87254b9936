import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../../../desktop/agent/db/openDatabase.ts';
import { listFolders } from '../../../../desktop/agent/watch/folders.ts';
import { watchFolders } from '../../../../desktop/agent/watch/watchFolders.ts';
import { systemClock } from '../../../../shared/clock.ts';

/** Watches in a process of its own, which has what the tests' process cannot have: mounts, or a limit. The folder is the process's argument. */
export function watchAlone() {
  let passed = 0;
  const clock = { now: () => systemClock.now() + passed };
  const { db } = openDatabase(':memory:', { clock });
  const taken: string[] = [];
  const watch = watchFolders({
    db,
    clock,
    settleMs: 100,
    async take(path) {
      taken.push(basename(path));
      db.prepare(`UPDATE local_file SET kind = 'known' WHERE path = ?`).run(path);
      return 'taken';
    },
    onGone: () => {},
    onChange: () => {},
    onError: console.error,
  });
  return {
    folder: process.argv[2] ?? '',
    watch,
    taken,
    problem: () => listFolders(db)[0]?.problem ?? null,
    /** Null: the file is not known. */
    kindOf: (path: string) => db.prepare('SELECT kind FROM local_file WHERE path = ?').get(path)?.['kind'] ?? null,
    pass(ms: number) {
      passed += ms;
    },
  };
}

/** Waits for 5 s at most: what has not come by then shows in what the process prints. */
export async function until(check: () => boolean): Promise<void> {
  for (let i = 0; i < 100 && !check(); i++) await sleep(50);
}
