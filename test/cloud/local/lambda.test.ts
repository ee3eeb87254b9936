import { InvocationType, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { expect, onTestFinished, test } from 'vitest';
import { createLambda, type LambdaContext } from '../../../cloud/local/lambda.ts';
import { functionArn } from '../../../cloud/local/names.ts';
import { connectCommands } from '../../../desktop/agent/commands.ts';
import { InvalidInput } from '../../../shared/errors.ts';
import type { LibraryId } from '../../../shared/model/asset.ts';
import { serve } from './serve.ts';

async function open() {
  const functions = {
    echo: async (event: unknown) => ({ event }),
    called: async (_: unknown, { invokedFunctionArn }: LambdaContext) => invokedFunctionArn,
    refuseBy: async (_: unknown, { invokedFunctionArn }: LambdaContext) => {
      throw new InvalidInput(invokedFunctionArn);
    },
    refuse: async () => {
      throw new InvalidInput('no such thing');
    },
  };
  const client = new LambdaClient(await serve({ lambda: createLambda(functions) }));
  onTestFinished(() => client.destroy());
  const invoke = async (FunctionName: string, Payload?: string, options: object = {}) => {
    const answer = await client.send(new InvokeCommand({ FunctionName, ...(Payload !== undefined && { Payload }), ...options }));
    return { ...answer, payload: JSON.parse(answer.Payload?.transformToString() ?? '') };
  };
  return { client, invoke };
}

test('a function is invoked by its name or its ARN', async () => {
  const { invoke } = await open();
  expect(await invoke('echo', '{"text":"grüße"}')).toMatchObject({ StatusCode: 200, payload: { event: { text: 'grüße' } } });
  expect((await invoke(functionArn('echo'))).payload).toEqual({ event: {} });
});

test('a function is told by which alias it was invoked; the owner’s agent asks by the owner’s', async () => {
  const { client, invoke } = await open();
  expect((await invoke('called')).payload).toBe(functionArn('called'));
  expect((await invoke('called', '{}', { Qualifier: 'owner' })).payload).toBe(`${functionArn('called')}:owner`);
  const askedBy = (library: string) => connectCommands(client, { commandsFunction: 'refuseBy', library: library as LibraryId }).resume({});
  await expect(askedBy('us-east-1:1')).rejects.toThrow(new InvalidInput(functionArn('refuseBy')));
  await expect(askedBy('owner')).rejects.toThrow(new InvalidInput(`${functionArn('refuseBy')}:owner`));
});

test('what a function throws reaches the caller as its name and message', async () => {
  const { invoke } = await open();
  const { FunctionError, payload } = await invoke('refuse', '{}');
  expect(FunctionError).toBe('Unhandled');
  expect(payload).toMatchObject({ errorType: 'InvalidInput', errorMessage: 'no such thing' });
});

test('wrong requests are answered as Lambda answers them', async () => {
  const { invoke } = await open();
  await expect(invoke('none', '{}')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  await expect(invoke('echo', '{')).rejects.toMatchObject({ name: 'InvalidRequestContentException' });
  await expect(invoke('echo', '{}', { InvocationType: InvocationType.Event })).rejects.toMatchObject({
    name: 'InvalidParameterValueException',
  });
});
