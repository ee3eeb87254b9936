import { execFileSync } from 'node:child_process';
import { onTestFinished } from 'vitest';

const nobody = 65534;

/** Lets the test go on as a user whom permissions stop, which they do not stop root, with these folders as that user's own. */
export function becomeOrdinaryUser(...folders: string[]): void {
  if (process.geteuid?.() !== 0) return;
  execFileSync('chown', ['-R', `${nobody}`, ...folders]);
  process.seteuid?.(nobody);
  onTestFinished(() => void process.seteuid?.(0));
}
