import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { openSecretInput } from '../../../desktop/headless/secretInput.ts';
import { InvalidInput } from '../../../shared/errors.ts';

function open(isTTY: boolean) {
  const [input, prompts] = [Object.assign(new PassThrough(), { isTTY }), new PassThrough()];
  const shown: string[] = [];
  prompts.on('data', (chunk) => shown.push(String(chunk)));
  return { input, shown, secrets: openSecretInput(input, prompts) };
}

test('a pipe gives one secret a line, without a prompt, and may be ahead of the questions', async () => {
  const { input, shown, secrets } = open(false);
  input.end('first\nsecond\n');
  expect(await secrets.ask('Password: ')).toBe('first');
  expect(await secrets.ask('New password: ')).toBe('second');
  await expect(secrets.ask('More: ')).rejects.toThrow(new InvalidInput('No password was given.'));
  expect(shown).toEqual([]);
});

test('a terminal is asked, and what is typed is not shown', async () => {
  const { input, shown, secrets } = open(true);
  const asked = secrets.ask('Password: ');
  for (const key of ['s', 'e', 'c', '\r']) input.write(key);
  expect(await asked).toBe('sec');
  expect(shown.join('')).toBe('Password: \n');
  secrets.close();
});

test('an empty line is no password', async () => {
  const { input, secrets } = open(false);
  input.end('\n');
  await expect(secrets.ask('Password: ')).rejects.toThrow('No password was given.');
});
