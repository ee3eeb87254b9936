import { Readable } from 'node:stream';
import { type AccessRequest, evaluatePolicy, type PolicyDocument } from '../../access/evaluatePolicy.ts';
import { dynamodbAccess } from '../dynamodbAccess.ts';
import { SignatureRefused } from '../gateway/errors.ts';
import type { Guests } from '../gateway/guests.ts';
import type { SignedRequest } from '../gateway/service.ts';
import { invokedFunction } from '../lambda.ts';
import { account, functionArn } from '../names.ts';
import { s3Access } from '../s3/access.ts';

/** The largest request that is read to judge it: DynamoDB's. */
const maxBytes = 16 << 20;

/** Judges what signed-in principals ask for by a policy; its variables are of the caller, as on AWS. */
export function admitBy(policy: PolicyDocument): Guests['admit'] {
  return async (service, request) => {
    const { principal } = request;
    const identity = principal.kind === 'identity' ? principal.id : null;
    const { needed, request: readable } = service === 's3' ? { needed: s3Access(request), request } : await readAccess(service, request);
    for (const { action, resource, context } of needed) {
      const known = { ...context, ...(identity !== null && { 'cognito-identity.amazonaws.com:sub': identity }) };
      if (evaluatePolicy(policy, { action, resource, context: known }) !== 'allowed') throw denied(action, resource);
    }
    if (needed.length === 0) throw denied(`${service}:*`, '*');
    return readable;
  };
}

/** What a request needs that says it in its body, and the request with that body to be read again. */
async function readAccess(service: string, request: SignedRequest): Promise<{ needed: AccessRequest[]; request: SignedRequest }> {
  if (service === 'lambda') return { needed: [lambdaAccess(request)], request };
  const body = await request.readBody(maxBytes);
  const readable = { ...request, body: Readable.from([body]), readBody: async () => body };
  const operation =
    String(request.headers['x-amz-target'] ?? '')
      .split('.')
      .at(-1) ||
    (new URLSearchParams(body.toString()).get('Action') ?? '');
  if (service === 'dynamodb') return { needed: dynamodbAccess(operation, jsonOf(body)), request: readable };
  // Nothing of the other services is for desktops: the name is for the refusal alone.
  return { needed: [{ action: `${service}:${operation}`, resource: '*', context: {} }], request: readable };
}

function lambdaAccess(request: SignedRequest): AccessRequest {
  const qualifier = request.query.get('Qualifier');
  const resource = `${functionArn(invokedFunction(request))}${qualifier === undefined ? '' : `:${qualifier}`}`;
  return { action: 'lambda:InvokeFunction', resource, context: {} };
}

/** Undefined when it is none: the service says so. */
function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function denied(action: string, resource: string): SignatureRefused {
  const who = `arn:aws:sts::${account}:assumed-role/pixwatch-desktop/CognitoIdentityCredentials`;
  return new SignatureRefused(
    'denied',
    `User: ${who} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
  );
}
