import { S3Client } from '@aws-sdk/client-s3';
import type { Connection, CredentialsProvider } from '../../../shared/connection.ts';
import { renewCredentials } from '../renewCredentials.ts';

/** Connections kept open: the requests under way at a time, and a few small ones. */
const maxSockets = 40;
const connectMs = 10_000;
/** Enough for four parts of 8 MiB at a time on a line of 0.5 Mbit/s. */
const requestMs = 10 * 60_000;

/**
 * The agent's way to S3. It does not retry: `drainQueue` does. It gives a connection up that stands still, which the SDK by itself never does.
 * @param idleMs how long no byte may pass
 */
export function createS3Client({ endpoint, region }: Connection, credentials: CredentialsProvider, idleMs = 30_000): S3Client {
  const client = new S3Client({
    region,
    credentials,
    maxAttempts: 1,
    // It would open a connection of its own for every part. That a key is taken is asked before the first.
    expectContinueHeader: false,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    requestHandler: {
      connectionTimeout: connectMs,
      socketTimeout: idleMs,
      requestTimeout: requestMs,
      throwOnRequestTimeout: true,
      httpAgent: { keepAlive: true, maxSockets },
      httpsAgent: { keepAlive: true, maxSockets },
    },
  });
  // Every body comes with its CRC-32, which is signed and checked. The SDK would hash it once more to sign it, on the event loop.
  client.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      if ('x-amz-checksum-crc32' in headers) headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
      return next(args);
    },
    { step: 'build', name: 'checksumInsteadOfPayloadHash' },
  );
  client.middlewareStack.add(renewCredentials(client.config.credentials), { step: 'initialize', name: 'renewCredentials' });
  return client;
}
