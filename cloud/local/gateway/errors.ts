import type { IncomingMessage, ServerResponse } from 'node:http';
import { InvalidInput, Permanent, Transient } from '../../../shared/errors.ts';
import { ServiceError } from './service.ts';
import { toXml } from './xml.ts';

/** How a service writes its errors: S3's XML, the XML of the Query protocol (SNS), or JSON. */
export type Dialect = 's3' | 'query' | 'json';

/** Why a request is not let through to a service. */
export type Refusal = 'missing' | 'malformed' | 'unknownKey' | 'mismatch' | 'skewed' | 'expired' | 'badToken' | 'tokenExpired' | 'denied';

/** The signature of a request is missing or wrong. Becomes the error that the protocol has for it. */
export class SignatureRefused extends Error {
  override readonly name = 'SignatureRefused';
  readonly refusal: Refusal;

  constructor(refusal: Refusal, message: string) {
    super(message);
    this.refusal = refusal;
  }
}

/** Codes of S3 and of the services with JSON; SDKs correct their clock on those of `skewed`. */
const refusalCodes: Readonly<Record<Refusal, { s3: string; other: string; status: number }>> = {
  missing: { s3: 'AccessDenied', other: 'MissingAuthenticationTokenException', status: 403 },
  malformed: { s3: 'AuthorizationHeaderMalformed', other: 'IncompleteSignatureException', status: 400 },
  unknownKey: { s3: 'InvalidAccessKeyId', other: 'UnrecognizedClientException', status: 403 },
  mismatch: { s3: 'SignatureDoesNotMatch', other: 'InvalidSignatureException', status: 403 },
  skewed: { s3: 'RequestTimeTooSkewed', other: 'InvalidSignatureException', status: 403 },
  expired: { s3: 'AccessDenied', other: 'InvalidSignatureException', status: 403 },
  badToken: { s3: 'InvalidToken', other: 'UnrecognizedClientException', status: 403 },
  tokenExpired: { s3: 'ExpiredToken', other: 'ExpiredTokenException', status: 403 },
  denied: { s3: 'AccessDenied', other: 'AccessDeniedException', status: 403 },
};

/**
 * What the client is told of a failure, whatever was thrown: a status of 500 and above means that it may try again.
 * @param service the name in the credential scope
 */
export function asServiceError(thrown: unknown, dialect: Dialect, service?: string): ServiceError {
  if (thrown instanceof ServiceError) return thrown;
  const s3 = dialect === 's3';
  if (thrown instanceof SignatureRefused) {
    const codes = refusalCodes[thrown.refusal];
    return new ServiceError(s3 ? codes.s3 : codes.other, thrown.message, refusalStatus(thrown.refusal, dialect, service));
  }
  if (thrown instanceof InvalidInput || thrown instanceof Permanent) {
    return new ServiceError(s3 ? 'InvalidRequest' : 'ValidationException', thrown.message, 400, { cause: thrown });
  }
  if (thrown instanceof Transient) return new ServiceError('ServiceUnavailable', thrown.message, 503, { cause: thrown });
  const text = 'The local cloud failed to answer this request; its log says why.';
  return new ServiceError(s3 ? 'InternalError' : 'InternalFailure', text, 500, { cause: thrown });
}

/** S3 answers 400 to a bad token, DynamoDB 400 to whatever it refuses. */
function refusalStatus(refusal: Refusal, dialect: Dialect, service: string | undefined): number {
  const isToken = refusal === 'badToken' || refusal === 'tokenExpired';
  return service === 'dynamodb' || (dialect === 's3' && isToken) ? 400 : refusalCodes[refusal].status;
}

/** @param service the name in the credential scope; undefined when the request did not get that far */
export function dialectOf(message: IncomingMessage, service: string | undefined): Dialect {
  if (service === 's3') return 's3';
  if (service === 'sns') return 'query';
  return service !== undefined || 'x-amz-target' in message.headers ? 'json' : 's3';
}

/** Answers with an error in its protocol's shape. */
export function sendError(message: IncomingMessage, response: ServerResponse, error: ServiceError, dialect: Dialect): void {
  const id = String(response.getHeader('x-amz-request-id'));
  response.statusCode = error.status;
  for (const name of ['content-encoding', 'content-length', 'etag', 'last-modified']) response.removeHeader(name);
  if (message.method === 'HEAD') return void response.end();
  const [type, text] = shapes[dialect](error, id, message.url ?? '');
  response.setHeader('content-type', type);
  response.end(text);
}

const shapes: Readonly<Record<Dialect, (error: ServiceError, id: string, url: string) => [type: string, text: string]>> = {
  s3: ({ code, message }, id, url) => [
    'application/xml',
    toXml('Error', { Code: code, Message: message, Resource: url.split('?')[0], RequestId: id }),
  ],
  query: ({ code, message, status }, id) => [
    'text/xml',
    toXml('ErrorResponse', {
      Error: { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message },
      RequestId: id,
    }),
  ],
  // Lambda's REST-JSON wants the capital Message, the JSON protocols the small one; each ignores the other.
  json: ({ code, message }) => ['application/json', JSON.stringify({ __type: code, message, Message: message })],
};
