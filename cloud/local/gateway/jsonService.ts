import type * as v from 'valibot';
import type { Service, SignedRequest } from './service.ts';

/** One call of a service: the schema of what it takes, and what answers it. */
export interface Operation<S extends v.GenericSchema = v.GenericSchema> {
  readonly input: S;
  /** The answer is sent as JSON; `undefined` as an empty body. */
  run(input: v.InferOutput<S>, request: SignedRequest): Promise<unknown>;
}

/** Declares one call, so that `run` gets the type of what `input` lets through. */
export const operation = <S extends v.GenericSchema>(input: S, run: Operation<S>['run']): Operation<S> => ({ input, run });

/**
 * A service of one of the AWS JSON protocols: `X-Amz-Target: <targetPrefix>.<operation>`, JSON in and out.
 * An input that fails its schema is answered as `ValidationException`, a name not in `operations` as `UnknownOperationException`.
 * @param version of the protocol: 1.0 for SQS, Step Functions and DynamoDB, 1.1 for Rekognition
 */
export declare function jsonService(options: {
  targetPrefix: string;
  version: '1.0' | '1.1';
  operations: Readonly<Record<string, Operation>>;
}): Service;
