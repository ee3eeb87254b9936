import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { LibraryId } from '../../../shared/model/asset.ts';

/**
 * One AWS service behind the gateway: answers a request whose signature is already verified and which its principal may make. It writes the whole answer itself, or throws
 * before its first byte: a `ServiceError` is answered as such, anything else as an internal error, both in the protocol's own shape and
 * after the request's body was drained.
 */
export type Service = (request: SignedRequest, response: ServerResponse) => Promise<void>;

/**
 * Who asks.
 * - owner: holds this cloud's own keys, and may do everything
 * - identity: signed in, and may do what the desktop's policy allows; the id is its library
 * - anyone: asks for one of the few things that need no keys, such as to sign in
 */
export type Principal = { readonly kind: 'owner' } | { readonly kind: 'identity'; readonly id: LibraryId } | { readonly kind: 'anyone' };

export interface SignedRequest {
  readonly principal: Principal;
  /** The request as Node parsed it, for a service that forwards it. Read its body through `body` or `readBody` only. */
  readonly message: IncomingMessage;
  readonly method: string;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** The path as it was sent: percent-encoded, starts with `/`, without the query. */
  readonly rawPath: string;
  /** The query as it was sent, without the `?`. */
  readonly rawQuery: string;
  /** The query decoded; of a repeated name the first value. */
  readonly query: ReadonlyMap<string, string>;
  /** Also sent to the client, in the headers `x-amz-request-id` and `x-amzn-requestid`. */
  readonly id: string;
  /**
   * The payload with any aws-chunked framing removed. Can be read once. The end is reached only when the payload is what was signed:
   * otherwise the iteration throws `ServiceError`, so commit nothing before it is over.
   */
  readonly body: AsyncIterable<Buffer>;
  /** A trailer of an aws-chunked body, by its lower-case name; known once `body` was read to its end. */
  trailer(name: string): string | undefined;
  /**
   * Reads the whole of `body`.
   * @throws ServiceError when it is longer than `maxBytes`, or is not what was signed
   */
  readBody(maxBytes: number): Promise<Buffer>;
}

/** An error that is part of a service's protocol, such as `NoSuchKey`. The message is for people. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: string;
  /** HTTP status. */
  readonly status: number;

  constructor(code: string, message: string, status = 400, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.status = status;
  }
}
