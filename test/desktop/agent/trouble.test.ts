import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openDatabase } from '../../../desktop/agent/db/openDatabase.ts';
import { createTrouble } from '../../../desktop/agent/trouble.ts';
import { systemClock } from '../../../shared/clock.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('told once, as long as it lasts; then it is over', () => {
  const lines: string[] = [];
  const states: (string | null)[] = [];
  const trouble = createTrouble(
    (line) => lines.push(line),
    () => states.push(trouble.current()),
  );
  for (let i = 0; i < 10; i++) {
    trouble.note(new Error('the cable is out'));
    vi.advanceTimersByTime(10_000);
  }
  expect(states).toEqual(['Pixwatch cannot go on at the moment: the cable is out']);
  vi.advanceTimersByTime(30_000);
  expect(states).toEqual([...lines, null]);
  expect(lines).toHaveLength(1);
  trouble.close();
});

test('a full disk is said in words', () => {
  const dir = mkdtempSync(join(tmpdir(), 'pixwatch-full-'));
  const { db } = openDatabase(join(dir, 'agent.db'), { clock: systemClock });
  const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number };
  db.exec(`PRAGMA max_page_count = ${pages}`);
  const trouble = createTrouble(
    () => {},
    () => {},
  );
  try {
    db.prepare('INSERT INTO meta (key, value) VALUES (?, ?)').run('big', 'x'.repeat(1 << 20));
  } catch (thrown) {
    trouble.note(thrown);
  }
  expect(trouble.current()).toBe("The disk that holds Pixwatch's data is full. Make room; it goes on by itself.");
  trouble.close();
  db.close();
  rmSync(dir, { recursive: true });
});
