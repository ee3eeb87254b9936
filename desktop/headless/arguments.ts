import { parseArgs } from 'node:util';
import * as v from 'valibot';
import type { AccessWay } from '../../shared/contract.ts';
import { InvalidInput, sentenceOf } from '../../shared/errors.ts';
import { ignoredGlobs } from '../../shared/model/ignored.ts';
import type { Condition } from '../../shared/model/rule.ts';

export const help = `Pixwatch finds what is in your photos.

  pixwatch [--folder DIR] [--headless] [--port N]   opens the app, with the try-out library or your own folder
  pixwatch watch DIR… [--until-idle]                watches folders; with --until-idle ends when all is done
  pixwatch watch DIR… --ignore GLOB …               leaves out what fits, e.g. --ignore raw --ignore '2019/**/*.tif', and nothing else;
                                                    without it stays what was set, and --ignore '' leaves nothing out
  pixwatch search QUERY [--limit N]                 e.g. pixwatch search 'label:dog>=90 -label:cat after:2024-06'
  pixwatch status                                   what is going on
  pixwatch alerts [--limit N]                       what rules have told, newest first
  pixwatch rules                                    the rules
  pixwatch rules add LABEL [--min-confidence PERCENT] [--name NAME] [--by desktop,email]
  pixwatch rules add --text TEXT [--name NAME] [--by desktop,email]
  pixwatch rules remove ID
  pixwatch connect FILE --user NAME                 works with the backend on AWS of this connection file; asks for the password
  pixwatch connect FILE --profile NAME              the same by a profile of the aws command line
  pixwatch sign-out                                 forgets the sign-in
  pixwatch costs [--approve]                        what the backend costs; --approve lets what waits be sent
  pixwatch look-again [--approve]                   what it would cost to look at videos that were only stored; --approve does it
  pixwatch cloud [--port N]                         the local cloud alone, for the aws command line and others

Everywhere:
  --data DIR   keeps everything in this folder (else PIXWATCH_DATA, else the system's folder for applications)
  --json       prints JSON, for programs
  --help       prints this

Exit code: 0 all is well, 1 it did not work, 2 the command was not understood.
`;

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'open'; readonly folder: string | null; readonly headless: boolean; readonly port: number }
  /** `ignored` null: what was set stays. */
  | { readonly kind: 'watch'; readonly folders: readonly string[]; readonly ignored: readonly string[] | null; readonly untilIdle: boolean }
  | { readonly kind: 'search'; readonly query: string; readonly limit: number }
  | { readonly kind: 'status' }
  | { readonly kind: 'alerts'; readonly limit: number }
  | { readonly kind: 'rules' }
  | {
      readonly kind: 'addRule';
      readonly name: string;
      readonly condition: Extract<Condition, { kind: 'label' | 'text' }>;
      readonly notify: { readonly desktop: boolean; readonly sns: boolean };
    }
  | { readonly kind: 'removeRule'; readonly id: string }
  | { readonly kind: 'connect'; readonly file: string; readonly as: AccessWay }
  | { readonly kind: 'signOut' }
  | { readonly kind: 'costs'; readonly approve: boolean }
  | { readonly kind: 'lookAgain'; readonly approve: boolean }
  | { readonly kind: 'cloud'; readonly port: number };

export interface Arguments {
  readonly command: Command;
  /** The `--data` folder as it was given. */
  readonly data: string | undefined;
  readonly json: boolean;
}

const options = {
  data: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  folder: { type: 'string' },
  headless: { type: 'boolean' },
  port: { type: 'string' },
  ignore: { type: 'string', multiple: true },
  'until-idle': { type: 'boolean' },
  limit: { type: 'string' },
  name: { type: 'string' },
  text: { type: 'string' },
  'min-confidence': { type: 'string' },
  by: { type: 'string' },
  user: { type: 'string' },
  profile: { type: 'string' },
  approve: { type: 'boolean' },
} as const;
const everywhere = ['data', 'json', 'help'];

type Values = ReturnType<typeof read>['values'];

/**
 * Reads the command line.
 * @param argv without the program's own name
 * @throws InvalidInput with one sentence when it cannot be understood
 */
export function parseArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = read(argv);
  const { data, json, help } = values;
  return { command: help ? { kind: 'help' } : commandOf(positionals, values), data, json };
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (thrown) {
    // What a search leaves out looks like an option.
    const hint = argv.includes('search') ? ' A query with a minus goes after two of them: pixwatch search -- dog -label:cat.' : '';
    throw wrong(`${sentenceOf(thrown)}${hint}`, thrown);
  }
}

function commandOf([name, ...words]: string[], values: Values): Command {
  switch (name) {
    case undefined:
      only(values, 'folder', 'headless', 'port');
      return { kind: 'open', folder: values.folder ?? null, headless: values.headless ?? false, port: portOf(values) };
    case 'watch':
      only(values, 'ignore', 'until-idle');
      if (words.length === 0) throw wrong('Name the folders to watch: pixwatch watch DIR…');
      return { kind: 'watch', folders: words, ignored: ignoredOf(values), untilIdle: values['until-idle'] ?? false };
    case 'search':
      only(values, 'limit');
      return { kind: 'search', query: words.join(' '), limit: limitOf(values) };
    case 'status':
      only(values);
      none(words);
      return { kind: 'status' };
    case 'alerts':
      only(values, 'limit');
      none(words);
      return { kind: 'alerts', limit: limitOf(values) };
    case 'rules':
      return ruleCommandOf(words, values);
    case 'connect':
      return connectCommandOf(words, values);
    case 'sign-out':
      only(values);
      none(words);
      return { kind: 'signOut' };
    case 'costs':
      only(values, 'approve');
      none(words);
      return { kind: 'costs', approve: values.approve ?? false };
    case 'look-again':
      only(values, 'approve');
      none(words);
      return { kind: 'lookAgain', approve: values.approve ?? false };
    case 'cloud':
      only(values, 'port');
      none(words);
      return { kind: 'cloud', port: portOf(values) };
    default:
      throw wrong(`There is no command ${JSON.stringify(name)}. To open a folder: pixwatch --folder DIR.`);
  }
}

function ruleCommandOf([action, subject, ...rest]: string[], values: Values): Command {
  none(rest);
  if (action === undefined) {
    only(values);
    return { kind: 'rules' };
  }
  const isText = action === 'add' && values.text !== undefined && subject === undefined;
  if ((subject === undefined && !isText) || (action !== 'add' && action !== 'remove')) {
    throw wrong('After "rules" comes nothing, "add LABEL", "add --text TEXT" or "remove ID".');
  }
  if (action === 'remove') {
    only(values);
    return { kind: 'removeRule', id: subject ?? '' };
  }
  const condition = subject === undefined ? textCondition(values) : labelCondition(subject, values);
  const name = values.name ?? (condition.kind === 'label' ? condition.label : condition.text);
  return { kind: 'addRule', name, condition, notify: waysOf(values.by ?? 'desktop') };
}

function labelCondition(label: string, values: Values) {
  only(values, 'name', 'min-confidence', 'by');
  return { kind: 'label', label, minConfidence: wholeNumber('--min-confidence', values['min-confidence'] ?? '80', 0, 100) } as const;
}

function textCondition(values: Values) {
  only(values, 'text', 'name', 'by');
  return { kind: 'text', text: values.text ?? '' } as const;
}

function connectCommandOf([file, ...rest]: string[], values: Values): Command {
  only(values, 'user', 'profile');
  none(rest);
  const { user, profile } = values;
  if (file === undefined) throw wrong('Name the connection file: pixwatch connect FILE --user NAME.');
  if ((user === undefined) === (profile === undefined)) throw wrong('Say who signs in: either --user NAME or --profile NAME.');
  return { kind: 'connect', file, as: user === undefined ? { kind: 'profile', profile: profile ?? '' } : { kind: 'user', user } };
}

function ignoredOf({ ignore }: Values): string[] | null {
  if (ignore === undefined) return null;
  const { success, output, issues } = v.safeParse(
    ignoredGlobs,
    ignore.filter((glob) => glob !== ''),
  );
  if (!success) throw wrong(issues[0].message);
  return output;
}

function waysOf(by: string): { desktop: boolean; sns: boolean } {
  const ways = by.split(',');
  if (ways.some((way) => way !== 'desktop' && way !== 'email')) throw wrong('--by takes desktop, email or both: --by desktop,email');
  return { desktop: ways.includes('desktop'), sns: ways.includes('email') };
}

function only(values: Values, ...allowed: string[]): void {
  const stray = Object.keys(values).find((name) => !allowed.includes(name) && !everywhere.includes(name));
  if (stray !== undefined) throw wrong(`--${stray} does not belong to this command.`);
}

function none(words: string[]): void {
  if (words.length > 0) throw wrong(`${JSON.stringify(words[0])} is one word too many.`);
}

const limitOf = ({ limit }: Values) => wholeNumber('--limit', limit ?? '100', 1, 500);
const portOf = ({ port }: Values) => wholeNumber('--port', port ?? '0', 0, 65_535);

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw wrong(`${name} takes a whole number from ${min} to ${max}, not ${JSON.stringify(text)}.`);
  return value;
}

function wrong(what: string, cause?: unknown): InvalidInput {
  return new InvalidInput(`${what} See pixwatch --help.`, { cause });
}
