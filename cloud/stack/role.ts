import { Aws, Stack, Validations } from 'aws-cdk-lib';
import { type IRole, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Grant } from './grants.ts';

const ofThisAccount = { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } };

/** On which conditions a service takes a role on. */
const trust = {
  // Lambda sends no account along.
  lambda: {},
  scheduler: ofThisAccount,
  states: ofThisAccount,
  // https://docs.aws.amazon.com/rekognition/latest/dg/cross-service-confused-deputy-prevention.html: jobs have no ARN of their own.
  rekognition: { ...ofThisAccount, ArnLike: { 'aws:SourceArn': `arn:${Aws.PARTITION}:rekognition:${Aws.REGION}:${Aws.ACCOUNT_ID}:*` } },
};

/** Makes the role that a service takes on for one function, state machine or the like: it may do what it is granted, and CDK adds nothing to that. */
export function createRole(scope: Construct, id: string, service: keyof typeof trust, grants: readonly Grant[]): IRole {
  const role = new Role(scope, id, {
    assumedBy: new ServicePrincipal(`${service}.amazonaws.com`, { conditions: trust[service] }),
    inlinePolicies: { own: new PolicyDocument({ statements: grants.map(statementOf) }) },
  });
  for (const { resources, wildcard } of grants) if (wildcard) explain(role, resources, wildcard);
  return role.withoutPolicyUpdates();
}

function statementOf({ actions, resources, conditions }: Grant): PolicyStatement {
  return new PolicyStatement({ actions: [...actions], resources: [...resources], ...(conditions && { conditions }) });
}

/** Tells cdk-nag the reason for wildcards, which it calls by the text of the resource. */
export function explain(role: Role, resources: readonly string[], reason: string): void {
  const texts = resources.map((resource) => textOf(Stack.of(role).resolve(resource))).filter((text) => text.includes('*'));
  Validations.of(role).acknowledge(...texts.map((text) => ({ id: `AwsSolutions-IAM5[Resource::${text}]`, reason })));
}

type Resolved =
  | string
  | { readonly Ref: string }
  | { readonly 'Fn::GetAtt': readonly string[] }
  | { readonly 'Fn::Join': readonly [string, readonly Resolved[]] };

/** An ARN with its references as `<Name.Attribute>`, and policy variables as `<name>`. */
export function textOf(resolved: Resolved): string {
  if (typeof resolved === 'string') return resolved.replaceAll('${', '<').replaceAll('}', '>');
  if ('Ref' in resolved) return `<${resolved.Ref}>`;
  if ('Fn::GetAtt' in resolved) return `<${resolved['Fn::GetAtt'].join('.')}>`;
  const [separator, parts] = resolved['Fn::Join'];
  return parts.map(textOf).join(separator);
}
