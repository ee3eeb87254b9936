import { messageOf } from '../../shared/errors.ts';
import { type Service, ServiceError, type SignedRequest } from './gateway/service.ts';
import { functionArn } from './names.ts';

/** What Lambda tells a function of its call: `identity` of a caller that signed in. */
export interface LambdaContext {
  /** With the alias behind it when it was invoked by one; here all aliases lead to the one function. */
  readonly invokedFunctionArn: string;
  readonly identity?: { readonly cognitoIdentityId: string };
}

/** What a function takes and gives is JSON. */
export type LambdaFunction = (event: unknown, context: LambdaContext) => Promise<unknown>;

/** Lambda's own limit for a request, in bytes. */
const maxEventBytes = 6_291_556;
const invocation = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;

/** The Lambda service: Invoke, synchronously, for functions by their name or ARN. */
export function createLambda(functions: Readonly<Record<string, LambdaFunction>>): Service {
  return async (request, response) => {
    const name = invokedFunction(request);
    const run = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (!run) throw new ServiceError('ResourceNotFoundException', `Function not found: ${functionArn(name)}`, 404);
    const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
    if (type !== 'RequestResponse') {
      throw new ServiceError(
        'InvalidParameterValueException',
        `The local cloud invokes functions as RequestResponse only, not as ${type}.`,
      );
    }
    const event = parseEvent((await request.readBody(maxEventBytes)).toString());
    response.setHeader('content-type', 'application/json');
    response.setHeader('x-amz-executed-version', '$LATEST');
    try {
      const result = await run(event, contextOf(name, request));
      response.end(JSON.stringify(result ?? null));
    } catch (thrown) {
      response.setHeader('x-amz-function-error', 'Unhandled');
      response.end(JSON.stringify(lambdaError(thrown)));
    }
  };
}

/**
 * The name of the function that a request invokes.
 * @throws ServiceError when it does something else
 */
export function invokedFunction({ method, rawPath }: SignedRequest): string {
  const [, encoded] = invocation.exec(rawPath) ?? [];
  if (method !== 'POST' || encoded === undefined) {
    throw new ServiceError('UnknownOperationException', 'The local cloud can only invoke functions.', 404);
  }
  return decodeURIComponent(encoded).split(':').at(-1) ?? '';
}

function contextOf(name: string, { principal, query }: SignedRequest): LambdaContext {
  const alias = query.get('Qualifier');
  return {
    invokedFunctionArn: `${functionArn(name)}${alias === undefined ? '' : `:${alias}`}`,
    ...(principal.kind === 'identity' && { identity: { cognitoIdentityId: principal.id } }),
  };
}

function parseEvent(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch (thrown) {
    throw new ServiceError('InvalidRequestContentException', `Could not parse request body into json: ${messageOf(thrown)}`, 400, {
      cause: thrown,
    });
  }
}

/** How Lambda tells its caller that a function threw. */
export function lambdaError(thrown: unknown): { errorType: string; errorMessage: string; trace: string[] } {
  const { name, stack = '' } = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { errorType: name, errorMessage: messageOf(thrown), trace: stack.split('\n').slice(0, 20) };
}
