import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseConnectionFile } from '../../shared/connection.ts';
import { InvalidInput, messageOf } from '../../shared/errors.ts';
import { typedIn } from '../host/dataDir.ts';
import type { App } from '../host/startApp.ts';
import type { Command } from './arguments.ts';
import { type Context, startOwnApp } from './context.ts';
import { openSecretInput, type SecretInput } from './secretInput.ts';

/** Changes to the backend of a connection file. The password comes from the terminal or a pipe, never from an argument. */
export async function connect({ file, as }: Extract<Command, { kind: 'connect' }>, context: Context): Promise<number> {
  const text = await readText(resolve(typedIn(process.env), file));
  const { name, region } = parseConnectionFile(text);
  const input = as.kind === 'user' ? openSecretInput(process.stdin, process.stderr) : null;
  try {
    const password = await input?.ask(`Password of ${as.kind === 'user' ? as.user : ''}: `);
    const { handlers, close } = await startOwnApp(context);
    try {
      if (as.kind === 'profile') await handlers.connectByProfile({ text, profile: as.profile });
      else await signIn(handlers, text, { user: as.user, password: password ?? '' }, input);
      const { aws } = await handlers.backend({});
      if (context.json) context.output.json({ name, region, as });
      else context.output.say(`Pixwatch works with the backend ${name} in ${region} now.`);
      if (aws && !aws.isKept) context.output.note(notKept);
    } finally {
      await close();
    }
  } finally {
    input?.close();
  }
  return 0;
}

const notKept =
  'This computer has no keychain that can be used, so the sign-in ends with this command. Sign in on the page after each start, or use a profile.';

async function signIn(
  handlers: App['handlers'],
  text: string,
  words: { user: string; password: string },
  input: SecretInput | null,
): Promise<void> {
  const { kind } = await handlers.connect({ text, words: { ...words, newPassword: null } });
  if (kind === 'signedIn') return;
  const newPassword = (await input?.ask('The first password was only for this once. New password: ')) ?? null;
  await handlers.connect({ text, words: { ...words, newPassword } });
}

export async function signOut(context: Context): Promise<number> {
  const { handlers, close } = await startOwnApp(context);
  try {
    await handlers.signOut({});
    context.output.note('Signed out. What can be searched stays; nothing is sent until somebody signs in.');
    return 0;
  } finally {
    await close();
  }
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause) => {
    throw new InvalidInput(`The connection file ${path} cannot be read: ${messageOf(cause)}.`, { cause });
  });
}
