import type { WriteStream } from 'node:tty';

/** Where a command writes: answers to stdout, all else to stderr, so that answers can be piped. */
export interface Output {
  /** One line of the answer. */
  say(line: string): void;
  /** The answer for programs: one line of JSON. */
  json(value: unknown): void;
  /** One line beside the answer. */
  note(line: string): void;
  /** How far things are: one line that rewrites itself on a terminal, else a line now and then. */
  progress(line: string): void;
}

const plainEveryMs = 5_000;

export function createOutput(
  stdout: NodeJS.WritableStream,
  stderr: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>,
): Output {
  const clearLine = stderr.isTTY ? '\r\u001b[K' : '';
  let shown = '';
  let resting = false;
  const note = (line: string) => {
    stderr.write(`${clearLine}${printable(line)}\n`);
    shown = '';
  };
  const plainProgress = (line: string) => {
    if (resting) return;
    resting = true;
    setTimeout(() => {
      resting = false;
    }, plainEveryMs).unref();
    stderr.write(`${line}\n`);
  };
  return {
    say(line) {
      if (shown) stderr.write(clearLine);
      stdout.write(`${printable(line)}\n`);
    },
    json: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
    note,
    progress(line) {
      const next = printable(line).slice(0, (stderr.columns ?? 80) - 1);
      if (next === shown) return;
      shown = next;
      if (stderr.isTTY) stderr.write(clearLine + next);
      else plainProgress(next);
    },
  };
}

/**
 * File names can hold anything: control characters would command the terminal, and those that turn the direction of
 * writing would let a name pass for another.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}
