import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { steps } from '../../../cloud/steps/steps.ts';
import { InvalidInput } from '../../../shared/errors.ts';

const dir = new URL('../../../cloud/functions/', import.meta.url);
const names = (await readdir(dir)).flatMap((file) => /^(?!lambda)(\w+)\.ts$/.exec(file)?.[1] ?? []);

const nowhere = 'http://127.0.0.1:1';
const backendNames = {
  inputBucket: nowhere,
  outputBucket: nowhere,
  table: nowhere,
  topicArn: nowhere,
  alarmsTopicArn: nowhere,
  videoTopicArn: nowhere,
  videoRoleArn: nowhere,
  stateMachineArn: nowhere,
  inboxQueueUrl: nowhere,
  deadLetterQueueUrl: nowhere,
};
vi.stubEnv('PIXWATCH_NAMES', JSON.stringify(backendNames));
vi.stubEnv('PIXWATCH_SETTINGS', '{}');
vi.stubEnv('AWS_REGION', 'us-east-1');

const handlerOf = async (name: string) => (await import(new URL(`${name}.ts`, dir).href)).handler;

/** Called by a timer, whose event says nothing. */
const timed = ['drainOutbox', 'resumeWaiting'];

describe('the Lambda functions', () => {
  it('are one for each step and each event', () => {
    const ofSteps = Object.keys(steps).map((name) => name.charAt(0).toLowerCase() + name.slice(1));
    expect(names.sort()).toEqual(
      [...ofSteps, 'commands', 'dispatch', 'drainOutbox', 'executionEnded', 'resumeWaiting', 'videoLabelsDone'].sort(),
    );
  });

  it.each(names.filter((name) => !timed.includes(name)))('%s checks its event', async (name) => {
    const handler = await handlerOf(name);
    await expect(async () => handler({ hello: 1 }, { identity: { cognitoIdentityId: 'us-east-1:1' } })).rejects.toThrow(InvalidInput);
  });

  it.each(names)('%s only hands over', async (name) => {
    expect((await readFile(new URL(`${name}.ts`, dir), 'utf8')).trim().split('\n').length).toBeLessThanOrEqual(15);
  });

  it('answer no command of a caller whose identity is unknown', async () => {
    const handler = await handlerOf('commands');
    const arn = 'arn:aws:lambda:us-east-1:123456789012:function:pixwatch-commands';
    for (const context of [
      { identity: {}, invokedFunctionArn: arn },
      { identity: {}, invokedFunctionArn: `${arn}:owner` },
      // As of a call that nobody waits for: Lambda might not say who asked.
      { invokedFunctionArn: arn },
      { invokedFunctionArn: `${arn}:$LATEST` },
    ]) {
      await expect(async () => handler({ command: 'subscriptions', input: {} }, context)).rejects.toThrow(/caller's identity/);
    }
    // Then it is known whose library it is: what is wrong is found later.
    const owners = handler({ command: 'history', input: {} }, { invokedFunctionArn: `${arn}:owner` });
    await expect(async () => owners).rejects.toThrow(/^history, asset/);
  });
});
