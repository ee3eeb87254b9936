import { describe, expect, test } from 'vitest';
import { connectionTo, parseConnectionFile } from '../../shared/connection.ts';
import { InvalidInput } from '../../shared/errors.ts';
import type { LibraryId } from '../../shared/model/asset.ts';

const file = {
  version: 1,
  name: 'pixwatch',
  region: 'eu-central-1',
  inputBucket: 'pixwatch-input-4711',
  outputBucket: 'pixwatch-output-4711',
  table: 'pixwatch',
  commandsFunction: 'pixwatch-commands',
  signIn: {
    userPool: 'eu-central-1_AbCdEf123',
    userPoolClient: '6h4k2l9q0example1client2id',
    identityPool: 'eu-central-1:0f5c1a2b-1234-4abc-9def-0123456789ab',
  },
};
const parseFile = (value: unknown) => parseConnectionFile(JSON.stringify(value));

test('a connection file is read, and makes a library’s connection', () => {
  expect(parseFile(file)).toEqual(file);
  const { name: _, version: __, signIn: ___, ...place } = file;
  const library = 'eu-central-1:1234' as LibraryId;
  expect(connectionTo(parseFile(file), library)).toEqual({ ...place, library });
});

test('what it does not need to hold is left out', () => {
  expect(parseFile({ ...file, secretAccessKey: 'x', signIn: { ...file.signIn, hostedUi: 'https://evil.example' } })).toEqual(file);
});

describe('an endpoint', () => {
  test.each(['https://cloud.example', 'https://cloud.example:8443/', 'http://127.0.0.1:4566', 'http://[::1]:4566'])(
    'may be %s',
    (endpoint) => {
      expect(parseFile({ ...file, endpoint }).endpoint).toBe(endpoint);
    },
  );

  test.each([
    'http://cloud.example',
    'http://localhost:4566',
    'http://127.0.0.1.evil.example',
    'http://127.0.0.1@evil.example',
    'http://127.0.0.1:80@evil.example',
    'https://user:password@cloud.example',
    'https://127.0.0.1\\@evil.example',
    'https://cloud.example/path',
    'https://cloud.example?x=1',
    'https://cloud.example#x',
    'https://cloud.example\nhttp://evil.example',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'https://',
    '',
    4566,
    null,
  ])('may not be %j', (endpoint) => {
    expect(() => parseFile({ ...file, endpoint })).toThrow(
      'This connection file cannot be used: “endpoint” must be https, or http to 127.0.0.1.',
    );
  });
});

describe('names are what AWS allows', () => {
  test.each([
    ['inputBucket', '../../etc'],
    ['inputBucket', 'a/b'],
    ['outputBucket', 'arn:aws:s3:::other'],
    ['outputBucket', 'Bucket'],
    ['table', '../table'],
    ['table', 'x\n'],
    ['commandsFunction', 'arn:aws:lambda:us-east-1:123456789012:function:evil'],
    ['commandsFunction', '../invocations'],
    ['region', 'evil.example/'],
    ['region', 'us-east-1.evil'],
    ['name', '<img src=x onerror=alert(1)>'],
    ['name', 'a\u202egpj'],
  ])('%s: %j is refused', (field, value) => {
    expect(() => parseFile({ ...file, [field]: value })).toThrow(InvalidInput);
    expect(() => parseFile({ ...file, [field]: value })).toThrow(`“${field}”`);
  });

  test.each(['userPool', 'userPoolClient', 'identityPool'])('so are those of the sign-in: %s', (field) => {
    for (const value of ['', '../x', 'https://evil.example/pool', 'a b', 7, undefined]) {
      expect(() => parseFile({ ...file, signIn: { ...file.signIn, [field]: value } })).toThrow(`“signIn.${field}”`);
    }
  });

  test('what is missing is named', () => {
    const { table: _, ...rest } = file;
    expect(() => parseFile(rest)).toThrow(
      'This connection file cannot be used: “table” is missing or not what it should be. Choose the file that "npm run cloud:deploy" wrote.',
    );
  });
});

describe('whatever is no connection file', () => {
  test.each([
    ['nothing', ''],
    ['a picture', '\u0089PNG\r\n'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a text', '"x"'],
    ['half of one', JSON.stringify(file).slice(0, 90)],
  ])('%s is refused with a sentence', (_, text) => {
    expect(() => parseConnectionFile(text)).toThrow('This is no connection file. Choose the file that "npm run cloud:deploy" wrote.');
  });

  test('one that is far too long is not even read', () => {
    expect(() => parseConnectionFile(JSON.stringify({ ...file, padding: 'x'.repeat(20_000) }))).toThrow('This is no connection file.');
  });

  test('one of a newer Pixwatch says so', () => {
    expect(() => parseFile({ ...file, version: 2 })).toThrow('This connection file was made for a newer Pixwatch. Update this one.');
    expect(() => parseFile({ ...file, version: 'one' })).toThrow('“version” is missing or not what it should be');
  });

  test('a value of it is never quoted', () => {
    try {
      parseFile({ ...file, table: 'secret!' });
      expect.unreachable();
    } catch (thrown) {
      expect(String(thrown)).not.toContain('secret!');
    }
  });

  test('cannot reach into objects', () => {
    expect(() => parseConnectionFile('{"__proto__": {"version": 1}}')).toThrow(InvalidInput);
    expect(({} as { version?: number }).version).toBeUndefined();
  });
});
