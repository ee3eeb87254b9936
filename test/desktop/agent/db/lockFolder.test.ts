import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockDataFolder } from '../../../../desktop/agent/db/lockFolder.ts';
import { scratchDir } from './scratch.ts';

test('one holder at a time, and the folder is made when it is absent', async () => {
  const dir = join(await scratchDir(), 'new', 'data');
  const release = lockDataFolder(dir);
  expect(release).not.toBeNull();
  expect(lockDataFolder(dir)).toBeNull();
  // A failed try must not loosen the lock.
  expect(lockDataFolder(dir)).toBeNull();
  release?.();
  const again = lockDataFolder(dir);
  expect(again).not.toBeNull();
  again?.();
});

test('another process holds it, until kill -9', async () => {
  const dir = await scratchDir();
  const module = join(import.meta.dirname, '../../../../desktop/agent/db/lockFolder.ts');
  const script = `import { lockDataFolder } from ${JSON.stringify(module)}; lockDataFolder(process.argv[1]); console.log('locked'); setInterval(() => {}, 1000)`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  expect(lockDataFolder(dir)).toBeNull();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const release = lockDataFolder(dir);
  expect(release).not.toBeNull();
  release?.();
});
