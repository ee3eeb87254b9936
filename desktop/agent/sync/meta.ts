import type { DatabaseSync } from 'node:sqlite';
import { prepare } from '../db/openDatabase.ts';

/** 'yes' while a person has paused sending. */
export const pausedKey = 'paused';

/** One small fact the agent keeps; null when it was never written. */
export function readMeta(db: DatabaseSync, key: string): string | null {
  return (prepare(db, 'SELECT value FROM meta WHERE key = ?').get(key)?.['value'] ?? null) as string | null;
}

export function writeMeta(db: DatabaseSync, key: string, value: string): void {
  prepare(db, 'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value').run(key, value);
}
