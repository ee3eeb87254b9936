import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { InvalidInput } from '../../shared/errors.ts';

/** Asks for secrets: on a terminal without showing what is typed, else one line of the pipe each. */
export interface SecretInput {
  /** @throws InvalidInput when the input ends before */
  ask(prompt: string): Promise<string>;
  close(): void;
}

export function openSecretInput(
  input: NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY'>>,
  prompts: NodeJS.WritableStream,
): SecretInput {
  const terminal = input.isTTY === true;
  // On a terminal readline writes what is typed, letter by letter: into nothing.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input, output: nowhere, terminal });
  const lines = reader[Symbol.asyncIterator]();
  return {
    async ask(prompt) {
      if (terminal) prompts.write(prompt);
      const { value, done } = await lines.next();
      if (terminal) prompts.write('\n');
      if (done || value === '') throw new InvalidInput('No password was given.');
      return value;
    },
    close: () => reader.close(),
  };
}
