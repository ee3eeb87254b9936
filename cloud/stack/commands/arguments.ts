import { parseArgs } from 'node:util';
import { InvalidInput, sentenceOf } from '../../../shared/errors.ts';

export const help = `The backend on AWS, as pixwatch.config.json describes it. See docs/deploy.md.

  npm run cloud:doctor                     says what is missing, and changes nothing
  npm run cloud:diff                       what deploying would change, or make
  npm run cloud:deploy                     deploys, and writes pixwatch-connection.json for the app
  npm run cloud:connection                 shows the connection file again
  npm run cloud:add-user -- EMAIL          lets somebody sign in
  npm run cloud:destroy                    says what will go, what stays and what that costs; then asks

Options come after "--", as in npm run cloud:deploy -- --yes:
  --yes             deploy, destroy: does not ask (destroy never empties a bucket unasked)
  --out FILE        deploy, connection: writes the connection file here
  --against FILE    diff: compares with this template and not with what is deployed; needs no account
  --empty-buckets   destroy: empties the buckets that go with the stack, after its name was typed
  --profile NAME    a profile of the AWS command line (else AWS_PROFILE, else the default one)

Exit code: 0 all is well, 1 it did not work, 2 the command was not understood.`;

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'doctor' }
  | { readonly kind: 'deploy'; readonly yes: boolean; readonly out: string }
  | { readonly kind: 'diff'; readonly against: string | null }
  | { readonly kind: 'destroy'; readonly yes: boolean; readonly emptyBuckets: boolean }
  | { readonly kind: 'connection'; readonly out: string | null }
  | { readonly kind: 'addUser'; readonly email: string };

export interface Arguments {
  readonly command: Command;
  /** Of the AWS command line. */
  readonly profile: string | undefined;
}

const options = {
  yes: { type: 'boolean', short: 'y' },
  out: { type: 'string' },
  against: { type: 'string' },
  'empty-buckets': { type: 'boolean' },
  profile: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;
const everywhere = ['profile', 'help'];

type Values = ReturnType<typeof read>['values'];

/**
 * Reads the command line.
 * @param argv the command and what follows it
 * @throws InvalidInput with one sentence when it cannot be understood
 */
export function parseArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = read(argv);
  return { command: values.help ? { kind: 'help' } : commandOf(positionals, values), profile: values.profile };
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (thrown) {
    throw wrong(sentenceOf(thrown), thrown);
  }
}

function commandOf([name, ...words]: string[], values: Values): Command {
  const { yes = false, out, against = null, 'empty-buckets': emptyBuckets = false } = values;
  switch (name) {
    case undefined:
      return { kind: 'help' };
    case 'doctor':
      only(values);
      none(words);
      return { kind: 'doctor' };
    case 'diff':
      only(values, 'against');
      none(words);
      return { kind: 'diff', against };
    case 'deploy':
      only(values, 'yes', 'out');
      none(words);
      return { kind: 'deploy', yes, out: out ?? 'pixwatch-connection.json' };
    case 'destroy':
      only(values, 'yes', 'empty-buckets');
      none(words);
      return { kind: 'destroy', yes, emptyBuckets };
    case 'connection':
      only(values, 'out');
      none(words);
      return { kind: 'connection', out: out ?? null };
    case 'add-user':
      only(values);
      return { kind: 'addUser', email: emailOf(words) };
    default:
      throw wrong(`There is no command ${JSON.stringify(name)}.`);
  }
}

function emailOf([email = '', ...rest]: string[]): string {
  none(rest);
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) throw wrong('Name one e-mail address: npm run cloud:add-user -- me@example.org.');
  return email;
}

function only(values: Values, ...allowed: string[]): void {
  const stray = Object.keys(values).find((name) => !allowed.includes(name) && !everywhere.includes(name));
  if (stray !== undefined) throw wrong(`--${stray} does not belong to this command.`);
}

function none(words: string[]): void {
  if (words.length > 0) throw wrong(`${JSON.stringify(words[0])} is one word too many.`);
}

function wrong(what: string, cause?: unknown): InvalidInput {
  return new InvalidInput(`${what} See npm run cloud:deploy -- --help.`, { cause });
}
