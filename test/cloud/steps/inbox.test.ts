import { describe, expect, it } from 'vitest';
import { executionName } from '../../../cloud/steps/executions.ts';
import { readInboxMessage } from '../../../cloud/steps/inbox.ts';
import type { ExecutionInput } from '../../../cloud/steps/state.ts';
import { InvalidInput } from '../../../shared/errors.ts';

const asset = 'b'.repeat(64);
const names = { inputBucket: 'in' } as Parameters<typeof readInboxMessage>[1]['names'];
const read = (message: unknown) => readInboxMessage(typeof message === 'string' ? message : JSON.stringify(message), { names });

const event = (object: object, bucket = 'in') => ({
  version: '0',
  id: '1',
  'detail-type': 'Object Created',
  source: 'aws.s3',
  time: '2026-01-02T03:04:05Z',
  detail: { version: '0', bucket: { name: bucket }, object: { size: 1, etag: 'e1', sequencer: '00a1', ...object }, reason: 'PutObject' },
});

describe('readInboxMessage', () => {
  it('reads an event of the inbox', () => {
    const input = { library: 'us-east-1:6ad3', asset, ext: 'jpg', attempt: 1 };
    expect(read(event({ key: `inbox/us-east-1:6ad3/${asset}.jpg` }))).toEqual({ ...input, version: 'e1 2026-01-02T03:04:05.000Z' });
    expect(read(event({ key: `inbox/us-east-1:6ad3/${asset}.jpg`, 'version-id': 'v7' }))).toEqual({ ...input, version: 'v7' });
  });

  it('reads a request for another attempt', () => {
    const input = { library: 'local', asset, ext: 'jpg', version: 'e1', attempt: 2 };
    expect(read(input)).toEqual(input);
  });

  it.each([
    ['no JSON', 'hello', /not JSON/],
    ['some other JSON', { hello: 1 }, /neither an event of the inbox nor a request/],
    ['another event', { ...event({ key: 'x' }), 'detail-type': 'Object Deleted' }, /neither an event/],
    ['a key that the agent did not write', event({ key: 'inbox/holiday.jpg' }), /not an inbox key: "inbox\/holiday.jpg"/],
    ['a key that leaves the library', event({ key: `inbox/../${asset}.jpg` }), /not an inbox key/],
    ['another bucket', event({ key: `inbox/local/${asset}.jpg` }, 'other'), /another bucket: other/],
    ['attempt 0', { library: 'local', asset, ext: 'jpg', version: 'e1', attempt: 0 }, /attempt/],
  ])('refuses %s', (_, message, reason) => {
    expect(() => read(message)).toThrow(InvalidInput);
    expect(() => read(message)).toThrow(reason);
  });
});

describe('executionName', () => {
  it('is the same for the same object and attempt, and fits Step Functions', () => {
    const input = { library: 'us-east-1:6ad3', asset, ext: 'jpg', version: 'e1', attempt: 1 } as ExecutionInput;
    expect(executionName(input)).toMatch(/^[0-9a-f]{60}$/);
    expect(executionName({ ...input, ext: 'jpeg' })).toBe(executionName(input));
    expect(executionName({ ...input, attempt: 2 })).not.toBe(executionName(input));
    expect(executionName({ ...input, version: 'e2' })).not.toBe(executionName(input));
  });
});
