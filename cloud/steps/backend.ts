import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { RekognitionClient } from '@aws-sdk/client-rekognition';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import type { Clock } from '../../shared/clock.ts';
import type { Credentials } from '../../shared/connection.ts';
import { callsPerSecond, detectors } from '../../shared/cost.ts';
import { confidence } from '../../shared/model/label.ts';
import { parse } from '../../shared/parse.ts';
import { throwByClass } from './awsErrors.ts';

/** All that a step may touch besides its input. A step never knows whether it is AWS or this computer. */
export interface Backend {
  readonly s3: S3Client;
  readonly dynamodb: DynamoDBDocumentClient;
  /** Sends a request once: for a write that must not be applied twice, where it does no harm when it is not applied at all. */
  readonly dynamodbOnce: DynamoDBDocumentClient;
  readonly rekognition: RekognitionClient;
  readonly sns: SNSClient;
  readonly sfn: SFNClient;
  readonly sqs: SQSClient;
  readonly names: BackendNames;
  readonly settings: PipelineSettings;
  readonly clock: Clock;
  /** Takes one line about something odd that was survived. */
  warn(line: string): void;
}

const backendNames = v.object({
  inputBucket: v.string(),
  outputBucket: v.string(),
  table: v.string(),
  /** For alerts. */
  topicArn: v.string(),
  /** For whoever runs the backend and pays for it. */
  alarmsTopicArn: v.string(),
  stateMachineArn: v.string(),
  inboxQueueUrl: v.string(),
  deadLetterQueueUrl: v.string(),
  /** Where Rekognition tells that it is done with a video, and the role in which it does. */
  videoTopicArn: v.string(),
  videoRoleArn: v.string(),
});
export type BackendNames = v.InferOutput<typeof backendNames>;

const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
export const pipelineSettings = v.object({
  /** Labels below this confidence, in percent, are not asked for. */
  minConfidence: v.optional(confidence, 55),
  /** At most this many labels a picture. */
  maxLabels: v.optional(v.pipe(whole, v.minValue(1), v.maxValue(100)), 10),
  /** How long a failed execution's successor waits (SQS allows 15 minutes). */
  secondsBetweenExecutions: v.optional(v.pipe(whole, v.maxValue(900)), 60),
  /** After a message about a rule, what the rule finds within this time is gathered into one message. 0 sends each by itself. */
  secondsBetweenMessages: v.optional(v.pipe(whole, v.maxValue(86_400)), 300),
  /** What of Rekognition is used. What is off is never called. */
  detectors: v.optional(detectors, {}),
  /**
   * How often a second each API of Rekognition may be called, all executions together; null: as often as they like. On AWS these are the account's quotas
   * (cloud/stack/quotas.ts). On a computer there are none: the models take as many pictures as they can look at, and the others wait for them.
   */
  callsPerSecond: v.optional(callsPerSecond, {}),
  /** In US dollars: calls of Rekognition that would make a month (UTC) cost more are not made. Null: there is no cap. */
  capPerMonth: v.optional(v.nullable(v.pipe(v.number(), v.minValue(0))), null),
  /** The AWS region by whose prices calls are counted; null: they cost nothing. */
  priceRegion: v.optional(v.nullable(v.string()), null),
  /** So many days after it was analysed an original moves to S3 Glacier Flexible Retrieval (what is only kept stays); null: never. Only for forecasts: S3 does it. */
  archiveAfterDays: v.optional(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1))), null),
});
export type PipelineSettings = v.InferOutput<typeof pipelineSettings>;

/** How to reach AWS, or what answers in its place. What is absent the SDK finds by itself, as it does in Lambda. */
export interface AwsAccess {
  readonly endpoint?: string;
  readonly region?: string;
  readonly credentials?: Credentials;
  /** How long a service may be silent, in ms: 120 s when absent, as models on a slow computer need. */
  readonly longestSilence?: number;
}

/** `AwsAccess.longestSilence` in Lambda, which ends the quickest function after 60 s. */
export const lambdaSilence = 45_000;

/** Makes the clients that steps use; their errors are `Transient` where a later try may succeed. */
export function createBackend(
  { longestSilence = 120_000, ...access }: AwsAccess,
  rest: Pick<Backend, 'names' | 'settings' | 'clock' | 'warn'>,
): Backend {
  // The SDK's defaults wait for ever on a socket that has gone silent.
  const timeouts = { connectionTimeout: 5_000, socketTimeout: longestSilence, requestTimeout: longestSilence };
  const config = { ...access, requestHandler: { ...timeouts, throwOnRequestTimeout: true } };
  const documents = (maxAttempts?: number) => {
    const client = new DynamoDBClient({ ...config, ...(maxAttempts !== undefined && { maxAttempts }) });
    return throwByClass(DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } }));
  };
  const clients = {
    s3: throwByClass(new S3Client(config)),
    dynamodb: documents(),
    dynamodbOnce: documents(1),
    // It bills each try, so that only `paidCall` may make one.
    rekognition: throwByClass(new RekognitionClient({ ...config, maxAttempts: 1 })),
    sns: throwByClass(new SNSClient(config)),
    sfn: throwByClass(new SFNClient(config)),
    sqs: throwByClass(new SQSClient(config)),
  };
  return { ...rest, ...clients };
}

/**
 * The backend that a Lambda function's environment describes: `PIXWATCH_NAMES` and `PIXWATCH_SETTINGS` hold `BackendNames` and
 * `PipelineSettings` as JSON; access comes from the SDK's own defaults. Lambda's region is the one whose prices count.
 * @throws InvalidInput naming the variable, and the field in it, that is missing or wrong
 */
export function backendFromEnv(env: Readonly<Record<string, string | undefined>>, clock: Clock): Backend {
  const settings = parse(json(pipelineSettings), env['PIXWATCH_SETTINGS'], 'PIXWATCH_SETTINGS');
  return createBackend(
    { longestSilence: lambdaSilence },
    {
      names: parse(json(backendNames), env['PIXWATCH_NAMES'], 'PIXWATCH_NAMES'),
      settings: { ...settings, priceRegion: settings.priceRegion ?? env['AWS_REGION'] ?? null },
      clock,
      warn: (line) => console.warn(line),
    },
  );
}

const json = <S extends v.GenericSchema>(schema: S) => v.pipe(v.string(), v.parseJson(), schema);
