/**
 * The kinds of failure. The class alone says whether to retry: no caller looks at messages or codes again.
 * Messages are for people: what happened, to which file, what they can do.
 * Names are literal because Step Functions matches `ErrorEquals` against `error.name`, also after bundling.
 */

/** Worth trying again later without change: network, throttling, a full disk, a busy file. */
export class Transient extends Error {
  override readonly name: string = 'Transient';
}

/** Transient, because too much was asked for at once: worth trying again when others have had their turn, however long that takes. */
export class Throttled extends Transient {
  override readonly name = 'Throttled';
}

/** Will fail the same way again: a damaged picture, a refused permission. */
export class Permanent extends Error {
  override readonly name = 'Permanent';
}

/** The caller gave something that cannot be right: a bad argument, setting, event or key. */
export class InvalidInput extends Error {
  override readonly name = 'InvalidInput';
}

/** It would cost more than the month's cap allows: not tried again by itself before the next month begins or the cap is raised. */
export class OverBudget extends Error {
  override readonly name = 'OverBudget';
}

const classes = { Transient, Throttled, Permanent, InvalidInput, OverBudget };

/**
 * The error of a kind by its name, as it crossed a border between two processes, so that its class says there too whether to retry. A plain one when
 * the name is none of ours.
 */
export function errorNamed(name: string, text: string): Error {
  return Object.hasOwn(classes, name) ? new classes[name as keyof typeof classes](text) : new Error(text);
}

/** The text of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Its first sentence. What Node says of a command line, for one, goes on with advice about its own API. */
export function sentenceOf(thrown: unknown): string {
  const [sentence = ''] = messageOf(thrown).split('. ');
  return sentence.endsWith('.') ? sentence : `${sentence}.`;
}

/** SQLITE_FULL; https://sqlite.org/rescode.html */
const sqliteFull = 13;

/** Whether something failed because a disk, or a person's share of it, is full: as Node says it, SQLite, or LevelDB, which only has words for it. */
export function isDiskFull(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { code, errcode, cause } = thrown as { code?: unknown; errcode?: unknown; cause?: unknown };
  if (code === 'ENOSPC' || code === 'EDQUOT' || errcode === sqliteFull || /no space left on device/i.test(thrown.message)) return true;
  return isDiskFull(cause);
}

/** There is no room to begin in `dir`. */
export const fullAtStart = (dir: string, cause: unknown) =>
  new InvalidInput(`The disk that holds ${dir} is full. Make room and start again, or choose another data folder with --data.`, { cause });

/** Closes a `switch` over a union: a new member that is not handled fails to compile. */
export function assertNever(value: never): never {
  throw new InvalidInput(`unexpected value: ${JSON.stringify(value)}`);
}
