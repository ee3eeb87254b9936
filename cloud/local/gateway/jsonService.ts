import * as v from 'valibot';
import { messageOf } from '../../../shared/errors.ts';
import { type Service, ServiceError, type SignedRequest } from './service.ts';

/** One call of a service: the schema of what it takes, and what answers it. */
export interface Operation<S extends v.GenericSchema = v.GenericSchema> {
  readonly input: S;
  /** The answer is sent as JSON; `undefined` as `{}`. */
  run(input: v.InferOutput<S>, request: SignedRequest): Promise<unknown>;
}

/** Declares one call, so that `run` gets the type of what `input` lets through. */
export const operation = <S extends v.GenericSchema>(input: S, run: Operation<S>['run']): Operation<S> => ({ input, run });

/** The largest request of the services that speak JSON is DynamoDB's. */
const maxRequestBytes = 16 << 20;

/**
 * A service of one of the AWS JSON protocols: `X-Amz-Target: <targetPrefix>.<operation>`, JSON in and out.
 * An input that fails its schema is answered as `ValidationException`, a name not in `operations` as `UnknownOperationException`.
 * @param version of the protocol: 1.0 for SQS, Step Functions and DynamoDB, 1.1 for Rekognition
 */
export function jsonService({
  targetPrefix,
  version,
  operations,
}: {
  targetPrefix: string;
  version: '1.0' | '1.1';
  operations: Readonly<Record<string, Operation>>;
}): Service {
  return async (request, response) => {
    const target = String(request.headers['x-amz-target'] ?? '');
    const name = target.startsWith(`${targetPrefix}.`) ? target.slice(targetPrefix.length + 1) : '';
    const called = Object.hasOwn(operations, name) ? operations[name] : undefined;
    if (!called) throw new ServiceError('UnknownOperationException', `The local cloud has no operation ${JSON.stringify(target)}.`);
    const output = await called.run(readInput(called.input, await request.readBody(maxRequestBytes), name), request);
    response.setHeader('content-type', `application/x-amz-json-${version}`);
    response.end(JSON.stringify(output ?? {}));
  };
}

function readInput<S extends v.GenericSchema>(schema: S, body: Buffer, name: string): v.InferOutput<S> {
  const result = v.safeParse(schema, parseJson(body));
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new ServiceError('ValidationException', `${name}, ${v.getDotPath(issue) ?? 'input'}: ${issue.message}`);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (thrown) {
    throw new ServiceError('SerializationException', `The body is no JSON: ${messageOf(thrown)}`, 400, { cause: thrown });
  }
}
