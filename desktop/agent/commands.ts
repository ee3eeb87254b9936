import { InvokeCommand, type InvokeCommandInput, type LambdaClient } from '@aws-sdk/client-lambda';
import * as v from 'valibot';
import { type CommandName, commands, owner } from '../../shared/commands.ts';
import type { Connection } from '../../shared/connection.ts';
import { errorNamed } from '../../shared/errors.ts';
import { parse } from '../../shared/parse.ts';
import type { Client } from '../../shared/rpc.ts';
import { cloudTrouble } from './upload/cloudTrouble.ts';

/** What Lambda answers in place of a result when the function threw. */
const thrownByFunction = v.object({ errorType: v.string(), errorMessage: v.string() });

/**
 * The calls of shared/commands.ts: each invokes the backend's `commands` function and throws in its class what that threw;
 * CloudUnavailable when the cloud cannot be used.
 */
export function connectCommands(
  lambda: LambdaClient,
  connection: Pick<Connection, 'commandsFunction' | 'library'>,
): Client<typeof commands> {
  const { commandsFunction: FunctionName, library } = connection;
  const of = { FunctionName, ...(library === owner && { Qualifier: owner }) };
  const call = (command: CommandName) => async (input: unknown) => {
    const answer = await invoke(lambda, of, { command, input });
    return parse(commands[command].output, answer, command);
  };
  return Object.fromEntries(Object.keys(commands).map((name) => [name, call(name as CommandName)])) as unknown as Client<typeof commands>;
}

async function invoke(lambda: LambdaClient, of: Pick<InvokeCommandInput, 'FunctionName' | 'Qualifier'>, request: object): Promise<unknown> {
  const { FunctionError, Payload } = await lambda.send(new InvokeCommand({ ...of, Payload: JSON.stringify(request) })).catch((cause) => {
    throw cloudTrouble(cause);
  });
  const payload: unknown = JSON.parse(Payload?.transformToString() || 'null');
  if (!FunctionError) return payload;
  const { errorType, errorMessage } = parse(thrownByFunction, payload, `answer of ${of.FunctionName}`);
  throw errorNamed(errorType, errorMessage);
}
