import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { jsonService, operation } from '../../../cloud/local/gateway/jsonService.ts';
import type { PipelineSettings } from '../../../cloud/steps/backend.ts';
import { dispatch } from '../../../cloud/steps/dispatch.ts';
import { claimantOf, openBackend, type TestBackend } from './openBackend.ts';

/** A Step Functions that only notes what it is asked to start, and when. */
async function open(settings: Partial<PipelineSettings>) {
  const started: string[] = [];
  const StartExecution = operation(v.object({ input: v.string() }), async ({ input }) => {
    started.push(input);
    return { executionArn: 'arn', startDate: 0 };
  });
  const states = jsonService({ targetPrefix: 'AWSStepFunctions', version: '1.0', operations: { StartExecution } });
  return { backend: await openBackend({ states }, settings), started };
}

const rates = (DetectLabels: number | null, DetectFaces: number | null) => ({
  callsPerSecond: {
    DetectLabels,
    DetectFaces,
    DetectText: null,
    DetectModerationLabels: null,
    StartLabelDetection: null,
    GetLabelDetection: null,
  },
});
const inputOf = (n: number) => {
  const { execution: _, ...input } = claimantOf(Buffer.from(`photo ${n}`));
  return input;
};
const batch = (bodies: readonly string[]) => ({ Records: bodies.map((body, n) => ({ messageId: `message-${n}`, body })) });

/** Takes what waits in the inbox queue out of it. What is delayed is not to be had yet. */
async function receive({ sqs, names }: TestBackend): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: names.inboxQueueUrl, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) return bodies;
    for (const { Body = '', ReceiptHandle } of Messages) {
      bodies.push(Body);
      await sqs.send(new DeleteMessageCommand({ QueueUrl: names.inboxQueueUrl, ReceiptHandle }));
    }
  }
}

describe('a burst', () => {
  it('starts no faster than the slowest API may be called; the rest waits in the queue, each for its own turn', async () => {
    const { backend, started } = await open(rates(5, 2));
    const bodies = Array.from({ length: 12 }, (_, n) => JSON.stringify(inputOf(n)));
    expect(await dispatch(batch(bodies), backend)).toEqual({ batchItemFailures: [] });
    // What comes within a second is the burst that the rate allows.
    expect(started.length).toBeGreaterThanOrEqual(2);
    expect(started.length).toBeLessThanOrEqual(3);

    // In the queue's own time, which is not the backend's: five seconds are over when all of them have come.
    const seen: number[] = [];
    let waiting: string[] = [];
    for (let second = 0; second < 8 && started.length < 12; second++) {
      backend.pass(1000);
      await new Promise((resolve) => setTimeout(resolve, 1050));
      waiting = [...waiting, ...(await receive(backend))];
      const before = started.length;
      expect(await dispatch(batch(waiting.splice(0)), backend)).toEqual({ batchItemFailures: [] });
      seen.push(started.length - before);
    }
    expect(started.map((input) => JSON.parse(input))).toHaveLength(12);
    expect(new Set(started).size).toBe(12);
    expect(started.map((input) => Object.keys(JSON.parse(input)))).not.toContainEqual(expect.arrayContaining(['notBefore']));
  }, 60_000);

  it('starts at once where no rate is set', async () => {
    const { backend, started } = await open(rates(null, null));
    const bodies = Array.from({ length: 12 }, (_, n) => JSON.stringify(inputOf(n)));
    await dispatch(batch(bodies), backend);
    expect(started).toHaveLength(12);
  });

  it('of many hours comes back every ten minutes at most, and keeps its turn', async () => {
    const { backend, started } = await open(rates(5, 5));
    const notBefore = backend.clock.now() + 4 * 60 * 60 * 1000;
    const sent: number[] = [];
    const sqs = Object.assign(Object.create(backend.sqs), {
      send: async ({ input }: { input: { DelaySeconds: number; MessageBody: string } }) => {
        sent.push(input.DelaySeconds);
        expect(JSON.parse(input.MessageBody)).toMatchObject({ notBefore });
      },
    });
    await dispatch(batch([JSON.stringify({ ...inputOf(1), notBefore })]), { ...backend, sqs });
    expect(sent).toEqual([600]);
    backend.pass(4 * 60 * 60 * 1000 + 1);
    await dispatch(batch([JSON.stringify({ ...inputOf(1), notBefore })]), { ...backend, sqs });
    expect(sent).toEqual([600]);
    expect(started).toHaveLength(1);
  });
});
