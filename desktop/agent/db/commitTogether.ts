import type { DatabaseSync } from 'node:sqlite';
import { transaction } from './openDatabase.ts';

interface Write {
  run(): void;
  resolve(): void;
  reject(thrown: unknown): void;
}

const waiting = new WeakMap<DatabaseSync, Write[]>();

/**
 * Runs a small write in one transaction with others that come in the same turn of the event loop: a commit costs more than the write.
 * Writes are run in the order in which they came.
 * @param run only writes to the database; it is run a second time, alone, when another of them fails
 * @returns when it is committed
 * @throws what `run` throws; the others are committed all the same
 */
export function commitTogether(db: DatabaseSync, run: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const writes = waiting.get(db) ?? [];
    if (writes.length === 0) setImmediate(commit, db);
    waiting.set(db, writes);
    writes.push({ run, resolve, reject });
  });
}

function commit(db: DatabaseSync): void {
  const writes = waiting.get(db) ?? [];
  waiting.delete(db);
  try {
    transaction(db, () => {
      for (const { run } of writes) run();
    });
    for (const { resolve } of writes) resolve();
  } catch {
    // One of them is to blame, and is found by running each alone.
    for (const write of writes) commitAlone(db, write);
  }
}

function commitAlone(db: DatabaseSync, { run, resolve, reject }: Write): void {
  try {
    transaction(db, run);
    resolve();
  } catch (thrown) {
    reject(thrown);
  }
}
