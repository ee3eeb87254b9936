import { InvocationType, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { expect, onTestFinished, test } from 'vitest';
import { createLambda } from '../../../cloud/local/lambda.ts';
import { functionArn } from '../../../cloud/local/names.ts';
import { InvalidInput } from '../../../shared/errors.ts';
import { serve } from './serve.ts';

async function open() {
  const functions = {
    echo: async (event: unknown) => ({ event }),
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
  return { invoke };
}

test('a function is invoked by its name or its ARN', async () => {
  const { invoke } = await open();
  expect(await invoke('echo', '{"text":"grüße"}')).toMatchObject({ StatusCode: 200, payload: { event: { text: 'grüße' } } });
  expect((await invoke(functionArn('echo'))).payload).toEqual({ event: {} });
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
