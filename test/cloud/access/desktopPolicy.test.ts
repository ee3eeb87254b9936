import { describe, expect, test } from 'vitest';
import { desktopPolicy } from '../../../cloud/access/desktopPolicy.ts';
import { evaluatePolicy } from '../../../cloud/access/evaluatePolicy.ts';
import { type AccessRow, allowed, denied, me, resources } from './desktopAccess.ts';

const policy = desktopPolicy(resources);
const judge = ({ action, resource, context }: AccessRow, identity: Record<string, string> = { 'cognito-identity.amazonaws.com:sub': me }) =>
  evaluatePolicy(policy, { action, resource, context: { ...context, ...identity } });

describe('a signed-in desktop', () => {
  test.each(Object.entries(allowed))('may have %s', (_, row) => {
    expect(judge(row)).toBe('allowed');
  });

  test.each(Object.entries(denied))('may not have %s', (_, row) => {
    expect(judge(row)).toBe('implicitDeny');
  });

  test.each(Object.entries(allowed).filter(([name]) => name !== 'the commands function'))(
    'has nothing of its own without an identity: %s',
    (_, row) => {
      expect(judge(row, {})).toBe('implicitDeny');
    },
  );
});

test('the policy has no wildcard but behind a library, and each statement a reason to be', () => {
  for (const { Sid, Action, Resource } of policy.Statement) {
    expect(Sid).toMatch(/^[A-Za-z]+$/);
    expect([Action].flat().filter((action) => action.includes('*'))).toEqual([]);
    expect([Resource].flat().filter((arn) => arn.includes('*') && !arn.endsWith('${cognito-identity.amazonaws.com:sub}/*'))).toEqual([]);
  }
  // An inline policy of a role: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
  expect(JSON.stringify(policy).length).toBeLessThan(10_240);
});
