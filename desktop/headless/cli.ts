import { messageOf } from '../../shared/errors.ts';
import { pixwatchDataDir, pixwatchModelsDir } from '../host/dataDir.ts';
import { type Arguments, type Command, help, parseArguments } from './arguments.ts';
import type { Context } from './context.ts';
import { createOutput } from './output.ts';

/**
 * Runs one command line.
 * @param argv without the program's own name
 * @returns the exit code: 0 all is well, 1 it did not work, 2 the command line was not understood
 */
export async function main(argv: readonly string[]): Promise<number> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreClosed);
  const output = createOutput(process.stdout, process.stderr);
  let parsed: Arguments;
  try {
    parsed = parseArguments(argv);
  } catch (thrown) {
    output.note(messageOf(thrown));
    return 2;
  }
  const { command, data, json } = parsed;
  try {
    const dataDir = pixwatchDataDir(process.env, data);
    return await run(command, { dataDir, modelsDir: pixwatchModelsDir(process.env), json, output });
  } catch (thrown) {
    output.note(messageOf(thrown));
    return 1;
  }
}

/** Who reads an answer may have had enough of it, as `head` has. */
function ignoreClosed(thrown: NodeJS.ErrnoException): void {
  if (thrown.code !== 'EPIPE') throw thrown;
}

/** Each command brings its own modules, so that a search does not wait for the cloud's to load. */
async function run(command: Command, context: Context): Promise<number> {
  switch (command.kind) {
    case 'help':
      process.stdout.write(help);
      return 0;
    case 'open':
      return (await import('./open.ts')).open(command, context);
    case 'watch':
      return (await import('./watch.ts')).watch(command, context);
    case 'cloud':
      return (await import('./cloud.ts')).cloud(command, context);
    case 'connect':
      return (await import('./connect.ts')).connect(command, context);
    case 'signOut':
      return (await import('./connect.ts')).signOut(context);
    case 'costs':
      return (await import('./costs.ts')).costs(command, context);
    case 'lookAgain':
      return (await import('./costs.ts')).lookAgain(command, context);
    case 'addRule':
    case 'removeRule':
      return (await import('./rules.ts')).changeRules(command, context);
    default:
      return (await import('./query.ts')).answer(command, context);
  }
}
