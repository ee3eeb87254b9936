import type { Clock } from '../../../shared/clock.ts';
import type { Credentials } from '../../../shared/connection.ts';
import type { Service } from './service.ts';

export interface Gateway {
  /** Like `http://127.0.0.1:4566`. */
  readonly endpoint: string;
  /** Takes no more requests, waits up to 5 s for those under way, then ends them. */
  close(): Promise<void>;
}

export interface GatewayOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** The one pair of keys that requests must be signed with. */
  readonly credentials: Credentials;
  readonly region: string;
  /** By the service name in the signature's credential scope: s3, dynamodb, sns, rekognition, states, sqs, lambda. */
  readonly services: Readonly<Record<string, Service>>;
  readonly clock: Clock;
  /** Gets one line for each request that failed for a reason that is ours. */
  log(line: string): void;
}

/**
 * Listens on 127.0.0.1 and gives every request with a valid AWS signature (version 4, in the header or presigned) to its service.
 * @throws InvalidInput when the port is taken or may not be used
 */
export declare function startGateway(options: GatewayOptions): Promise<Gateway>;
