import { assertNever, InvalidInput, Permanent } from '../../../shared/errors.ts';
import { loadSettings } from '../settings.ts';
import { type Account, openAccount, reasonOf } from './account.ts';
import { addUser } from './addUser.ts';
import { type Arguments, help, parseArguments } from './arguments.ts';
import { connectionOf, showConnection } from './connection.ts';
import { deploy } from './deploy.ts';
import { destroy } from './destroy.ts';
import { diff } from './diff.ts';
import { doctor } from './doctor.ts';
import { describeStack } from './stackState.ts';

/**
 * Runs one of the cloud:… commands. Whatever goes wrong is told in a sentence.
 * @param argv the command and its options
 * @returns the exit code: 0 all is well, 1 it did not work, 2 the command was not understood
 */
export async function main(argv: readonly string[]): Promise<number> {
  let args: Arguments;
  try {
    args = parseArguments(argv);
  } catch (thrown) {
    console.error(reasonOf(thrown));
    return 2;
  }
  try {
    return await run(args);
  } catch (thrown) {
    const isSentence = thrown instanceof InvalidInput || thrown instanceof Permanent;
    console.error(isSentence ? thrown.message : `It did not work: ${reasonOf(thrown)}`);
    return 1;
  }
}

async function run({ command, profile }: Arguments): Promise<number> {
  // By this both the SDK and the CDK know which profile to use.
  if (profile !== undefined) process.env['AWS_PROFILE'] = profile;
  switch (command.kind) {
    case 'help':
      console.log(help);
      return 0;
    case 'doctor':
      return doctor();
    case 'deploy':
      return deploy(command);
    case 'diff':
      return diff(command);
    case 'destroy':
      return destroy(command);
    case 'connection':
      return withAccount(async (account, name) => showConnection(connectionOf(name, await describeStack(account, name)), command.out));
    case 'addUser':
      return withAccount((account, name) => addUser(account, name, command.email));
    default:
      return assertNever(command);
  }
}

async function withAccount(use: (account: Account, name: string) => Promise<void>): Promise<number> {
  const { region, name } = loadSettings();
  await use(openAccount(region), name);
  return 0;
}
