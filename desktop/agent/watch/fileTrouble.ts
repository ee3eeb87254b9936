import { messageOf } from '../../../shared/errors.ts';

const sentences: Record<string, string> = {
  EACCES: 'Pixwatch may not read it. Change its permissions and it is taken up again.',
  EPERM: 'Pixwatch may not read it. Change its permissions and it is taken up again.',
  EBUSY: 'Another program has it open. It is tried again.',
  EIO: 'The disk reports a read error. Check the drive; it is tried again.',
  EMFILE: 'Too many files are open on this computer. It is tried again.',
  ENFILE: 'Too many files are open on this computer. It is tried again.',
  ENOENT: 'It cannot be found. If it is on a drive that was taken off, connect it again.',
  ENOTDIR: 'It cannot be found. If it is on a drive that was taken off, connect it again.',
  ENODEV: 'Its drive is not connected. Connect it and it is taken up again.',
  ESTALE: 'Its network drive does not answer. It is tried again.',
  ETIMEDOUT: 'Its network drive does not answer. It is tried again.',
};

/** The system's code of a failed file operation ('' when it has none). */
export function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
}

/** Why a file or folder cannot be read and what helps, as a sentence. */
export function fileTrouble(thrown: unknown): string {
  return sentences[codeOf(thrown)] ?? `It cannot be read: ${messageOf(thrown)}.`;
}

/** Why a file or folder cannot be read whose name has bytes that are no UTF-8: decoded, it no longer names it. */
export const unnameable = 'Its name is no valid text (UTF-8). Rename it so that Pixwatch can read it.';

/** Whether a name, as it came from the system, may be one of those. */
export function isUnnameable(name: string): boolean {
  return name.includes('\uFFFD');
}

/** Whether the file or folder is simply not there. */
export function isAbsent(thrown: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(codeOf(thrown));
}

/** Whether the operating system refused something about a file, in contrast to a fault of ours. */
export function isFileError(thrown: unknown): boolean {
  return thrown instanceof Error && 'syscall' in thrown;
}
