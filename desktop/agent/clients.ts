import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Connection, CredentialsProvider } from '../../shared/connection.ts';
import { renewCredentials } from './renewCredentials.ts';
import { createS3Client } from './upload/s3Client.ts';

export interface Clients {
  readonly s3: S3Client;
  readonly dynamodb: DynamoDBDocumentClient;
  readonly lambda: LambdaClient;
  /** Closes their sockets. */
  destroy(): void;
}

/** The SDK's default waits for ever on a socket that has gone silent. */
const requestHandler = { connectionTimeout: 5_000, socketTimeout: 30_000, requestTimeout: 30_000, throwOnRequestTimeout: true };

/** The only things that the agent reaches the cloud through. */
export function createClients(connection: Connection, provider: CredentialsProvider): Clients {
  const { endpoint, region } = connection;
  const s3 = createS3Client(connection, provider);
  // What the S3 client keeps of the provider's answers serves all.
  const { credentials } = s3.config;
  const config = { region, credentials, requestHandler, ...(endpoint && { endpoint }) };
  const renew = renewCredentials(credentials);
  const dynamodb = new DynamoDBClient(config);
  const lambda = new LambdaClient(config);
  dynamodb.middlewareStack.add(renew, { step: 'initialize', name: 'renewCredentials' });
  lambda.middlewareStack.add(renew, { step: 'initialize', name: 'renewCredentials' });
  return {
    s3,
    dynamodb: DynamoDBDocumentClient.from(dynamodb, { marshallOptions: { removeUndefinedValues: true } }),
    lambda,
    destroy() {
      for (const client of [s3, dynamodb, lambda]) client.destroy();
    },
  };
}
