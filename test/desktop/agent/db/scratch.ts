import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { onTestFinished } from 'vitest';
import { openDatabase } from '../../../../desktop/agent/db/openDatabase.ts';
import { systemClock } from '../../../../shared/clock.ts';

/** A folder that is removed when the test is over. */
export async function scratchDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'pixwatch-agent-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** The agent's database in a folder of its own, closed when the test is over. */
export async function scratchDatabase(): Promise<DatabaseSync> {
  const { db } = openDatabase(join(await scratchDir(), 'agent.db'), { clock: systemClock });
  onTestFinished(() => db.close());
  return db;
}
