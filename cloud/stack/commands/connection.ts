import { writeFileSync } from 'node:fs';
import { type ConnectionFile, connectionFile } from '../../../shared/connection.ts';
import { InvalidInput, messageOf, Permanent } from '../../../shared/errors.ts';
import { parse } from '../../../shared/parse.ts';
import type { StackState } from './stackState.ts';

/**
 * The connection file of a deployed stack, from its outputs (pixwatchStack.ts).
 * @throws Permanent when there is no such stack, or not yet
 */
export function connectionOf(name: string, stack: StackState | null): ConnectionFile {
  if (!stack) throw new Permanent(`There is no stack ${name} in this account and region. Deploy it: npm run cloud:deploy.`);
  const { userPool, userPoolClient, identityPool, ...place } = stack.outputs;
  try {
    return parse(connectionFile, { version: 1, name, ...place, signIn: { userPool, userPoolClient, identityPool } }, 'outputs');
  } catch (thrown) {
    if (!(thrown instanceof InvalidInput)) throw thrown;
    throw new Permanent(`The stack ${name} (${stack.status}) does not say how to connect to it: ${thrown.message}. Deploy it again.`, {
      cause: thrown,
    });
  }
}

const textOf = (file: ConnectionFile): string => `${JSON.stringify(file, null, 2)}\n`;

/** @throws InvalidInput when it cannot be written */
export function writeConnection(file: ConnectionFile, path: string): void {
  try {
    writeFileSync(path, textOf(file));
  } catch (thrown) {
    throw new InvalidInput(`The connection file could not be written to ${path}: ${messageOf(thrown)}. Say where else with --out FILE.`, {
      cause: thrown,
    });
  }
}

/** Prints it, or writes it to a file. */
export function showConnection(file: ConnectionFile, out: string | null): void {
  if (out === null) return void process.stdout.write(textOf(file));
  writeConnection(file, out);
  console.log(`The connection file is ${out}.`);
}
