import { describe, expect, test } from 'vitest';
import { evaluatePolicy, type PolicyDocument } from '../../../cloud/access/evaluatePolicy.ts';
import { InvalidInput } from '../../../shared/errors.ts';

const sub = 'us-east-1:0a1b2c3d-0000-4000-8000-000000000001';
const subKey = 'cognito-identity.amazonaws.com:sub';

type Statement = PolicyDocument['Statement'][number];

/** Judges reading `arn:b/<path>` by one statement, which allows every reading unless `change` says otherwise. */
function judge(change: Partial<Statement>, path = 'x', context: Record<string, string | string[]> = { [subKey]: sub }) {
  const statement: Statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*', ...change };
  return evaluatePolicy({ Version: '2012-10-17', Statement: [statement] }, { action: 's3:GetObject', resource: `arn:b/${path}`, context });
}

describe('a statement', () => {
  test('that denies wins over all that allow', () => {
    const Statement: Statement[] = [
      { Effect: 'Deny', Action: 's3:GetObject', Resource: 'arn:b/secret/*' },
      { Effect: 'Allow', Action: 's3:*', Resource: '*' },
    ];
    const of = (resource: string) =>
      evaluatePolicy({ Version: '2012-10-17', Statement }, { action: 's3:GetObject', resource, context: {} });
    expect(of('arn:b/open/1')).toBe('allowed');
    expect(of('arn:b/secret/1')).toBe('explicitDeny');
    expect(evaluatePolicy({ Version: '2012-10-17', Statement }, { action: 'sns:Publish', resource: '*', context: {} })).toBe(
      'implicitDeny',
    );
  });

  test.each([
    ['s3:GetObject', 'allowed'],
    ['S3:getobject', 'allowed'],
    ['s3:Get*', 'allowed'],
    ['s3:GetObjec?', 'allowed'],
    ['*', 'allowed'],
    ['s3:GetObjectAcl', 'implicitDeny'],
    ['s3:Get', 'implicitDeny'],
    ['s3:GetObject?', 'implicitDeny'],
    ['dynamodb:GetObject', 'implicitDeny'],
  ])('with the action %s: %s', (Action, decision) => {
    expect(judge({ Action })).toBe(decision);
  });

  test.each([
    [['arn:c', 'arn:b/x'], 'x', 'allowed'],
    ['arn:b/?', 'x', 'allowed'],
    ['arn:b/?', 'xy', 'implicitDeny'],
    ['arn:b/a.c', 'abc', 'implicitDeny'],
    ['arn:b/X', 'x', 'implicitDeny'],
    ['arn:b/(x|y)', 'x', 'implicitDeny'],
    ['arn:b/x', 'x\n', 'implicitDeny'],
    ['arn:b/x*', 'x\ny', 'allowed'],
    ['arn:b/?', '😀', 'allowed'],
    ['arn:b/$', '$', 'allowed'],
  ])('with the resource %j for %j: %s', (Resource, path, decision) => {
    expect(judge({ Resource }, path)).toBe(decision);
  });
});

describe('a variable', () => {
  const Resource = `arn:b/\${${subKey}}/*`;

  test.each([
    [`${sub}/a`, 'allowed'],
    [`${sub}/../other/a`, 'allowed'], // A key is a name, not a path: this one is the library's own.
    [`${sub}evil/a`, 'implicitDeny'],
    [`${sub}`, 'implicitDeny'],
    [`x/${sub}/a`, 'implicitDeny'],
    [`${sub}%2Fa`, 'implicitDeny'],
    [`${sub.toUpperCase()}/a`, 'implicitDeny'],
    [`\${${subKey}}/a`, 'implicitDeny'],
  ])('of the caller’s identity, for %s: %s', (path, decision) => {
    expect(judge({ Resource }, path)).toBe(decision);
  });

  test('is plain text, whatever its value contains', () => {
    expect(judge({ Resource }, 'other/a', { [subKey]: '*' })).toBe('implicitDeny');
    expect(judge({ Resource }, 'other/a', { [subKey]: '.*' })).toBe('implicitDeny');
    expect(judge({ Resource }, '*/a', { [subKey]: '*' })).toBe('allowed');
    expect(judge({ Resource }, `${sub}/a`, { [subKey]: `\${${subKey}}` })).toBe('implicitDeny');
  });

  test('that the request does not have makes nothing match', () => {
    expect(judge({ Resource }, '/a', {})).toBe('implicitDeny');
    expect(judge({ Resource }, 'undefined/a', {})).toBe('implicitDeny');
    expect(judge({ Resource: 'arn:b/${constructor}/*' }, 'a/a')).toBe('implicitDeny');
  });

  test('for a wildcard’s own character is that character', () => {
    expect(judge({ Resource: 'arn:b/${*}' }, '*')).toBe('allowed');
    expect(judge({ Resource: 'arn:b/${*}' }, 'x')).toBe('implicitDeny');
  });

  test('is found whatever the case of its name', () => {
    expect(judge({ Resource: 'arn:b/${Cognito-Identity.amazonaws.com:SUB}/*' }, `${sub}/a`)).toBe('allowed');
  });
});

describe('a condition', () => {
  type Condition = NonNullable<Statement['Condition']>;
  test.each<[Condition, Record<string, string | string[]>, boolean]>([
    [{ StringEquals: { k: 'a' } }, { k: 'a' }, true],
    [{ StringEquals: { K: 'a' } }, { k: 'a' }, true],
    [{ StringEquals: { k: ['b', 'a'] } }, { K: 'a' }, true],
    [{ StringEquals: { k: 'a' } }, { k: 'A' }, false],
    [{ StringEquals: { k: '*' } }, { k: 'a' }, false],
    [{ StringEquals: { k: 'a' } }, {}, false],
    [{ StringEquals: { k: 'a' } }, { k: ['a', 'a'] }, false],
    [{ StringEquals: { k: '${who}' } }, { k: 'a', who: 'a' }, true],
    [{ StringEquals: { k: '${who}' } }, { k: 'a' }, false],
    [{ StringEquals: { k: 'a', l: 'b' } }, { k: 'a' }, false],
    [{ StringEquals: { k: 'a' }, Bool: { b: 'true' } }, { k: 'a', b: 'false' }, false],
    [{ StringLike: { k: 'in/*' } }, { k: 'in/a' }, true],
    [{ StringLike: { k: 'in/*' } }, { k: 'inn/a' }, false],
    [{ StringLike: { k: '${who}/*' } }, { k: 'other/a', who: '*' }, false],
    [{ StringLike: { k: '*' } }, {}, false],
    [{ 'ForAllValues:StringEquals': { k: ['a', 'b'] } }, { k: ['b', 'a', 'a'] }, true],
    [{ 'ForAllValues:StringEquals': { k: 'a' } }, { k: ['a', 'c'] }, false],
    [{ 'ForAllValues:StringEquals': { k: 'a' } }, {}, true],
    [{ 'ForAllValues:StringEquals': { k: 'a' } }, { k: [] }, true],
    [{ 'ForAllValues:StringLike': { k: 'a*' } }, { k: ['ab', 'ac'] }, true],
    [{ 'ForAllValues:StringLike': { k: 'a*' } }, { k: ['ab', 'bc'] }, false],
    [{ 'ForAllValues:StringNotLike': { k: ['a*', 'b'] } }, { k: ['c', 'ba'] }, true],
    [{ 'ForAllValues:StringNotLike': { k: ['a*', 'b'] } }, { k: ['c', 'b'] }, false],
    [{ 'ForAllValues:StringNotLike': { k: 'a' } }, {}, true],
    [{ 'ForAllValues:StringEquals': { k: 'a' }, Null: { k: 'false' } }, {}, false],
    [{ 'ForAllValues:StringEquals': { k: 'a' }, Null: { k: 'false' } }, { k: [] }, false],
    [{ Null: { k: 'true' } }, {}, true],
    [{ Null: { k: 'true' } }, { k: 'x' }, false],
    [{ Null: { k: 'false' } }, { k: 'x' }, true],
    [{ Bool: { k: 'true' } }, { k: 'True' }, true],
    [{ Bool: { k: 'false' } }, {}, false],
    [{ StringEquals: { toString: 'a' } }, {}, false],
  ])('%j of %j holds: %s', (Condition, context, holds) => {
    expect(judge({ Condition }, 'x', context)).toBe(holds ? 'allowed' : 'implicitDeny');
  });
});

describe('what is not known is refused', () => {
  test.each([
    [{ NotAction: 's3:*' }],
    [{ NotResource: '*' }],
    [{ Principal: '*' }],
    [{ Condition: { StringNotEquals: { k: 'a' } } }],
    [{ Condition: { StringEqualsIfExists: { k: 'a' } } }],
    [{ Condition: { Bool: { k: 'yes' } } }],
    [{ Effect: 'Maybe' }],
    [{ Resource: 'arn:b/${name, "nobody"}' }],
    [{ Resource: [{ Ref: 'Bucket' }] }],
  ])('%j', (change) => {
    expect(() => judge(change as Partial<Statement>)).toThrow(InvalidInput);
  });

  test('an older version of the language, which has no variables', () => {
    expect(() => evaluatePolicy({ Version: '2008-10-17', Statement: [] }, { action: 'a', resource: '*', context: {} })).toThrow(
      InvalidInput,
    );
  });
});
