import { writeSync } from 'node:fs';
import { openDatabase, transaction } from '../../../../desktop/agent/db/openDatabase.ts';
import { systemClock } from '../../../../shared/clock.ts';

/** Run as a process of its own: commits row after row, and prints the number of each that is committed. */
const { db } = openDatabase(process.argv[2] ?? '', { clock: systemClock });
const insert = db.prepare('INSERT INTO meta VALUES (?, ?)');
for (let n = 1; ; n++) {
  transaction(db, () => insert.run(`key ${n}`, 'x'.repeat(1000)));
  writeSync(1, `${n}\n`);
}
