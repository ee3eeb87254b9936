import * as v from 'valibot';
import { libraryId } from '../../shared/model/asset.ts';
import type { BackendNames } from '../steps/backend.ts';

/** What the local cloud's parts are called: as on AWS, but for the account, which no AWS account has. */
export const account = '000000000000';
export const region = 'us-east-1';

/** The library of whoever holds this computer's own keys. Who signs in has one of their own. */
export const library = v.parse(libraryId, 'local');

export const inputBucket = 'pixwatch-input';
export const outputBucket = 'pixwatch-output';
export const table = 'pixwatch';
export const commandsFunction = 'pixwatch-commands';
export const inboxQueue = 'pixwatch-inbox';
export const deadLetterQueue = 'pixwatch-dead-letters';
export const videoQueue = 'pixwatch-video-answers';
export const videoDeadLetterQueue = 'pixwatch-video-dead-letters';
export const stateMachineName = 'pixwatch-pipeline';

/** Where people sign in; ids in Cognito's forms. */
export const userPoolName = 'Pixwatch';
export const userPool = `${region}_${userPoolName}`;
export const userPoolClient = 'pixwatchdesktop';
export const identityPool = `${region}:00000000-0000-4000-8000-000000000000`;

const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${account}:${resource}`;
export const bucketArn = (bucket: string) => `arn:aws:s3:::${bucket}`;
export const tableArn = (name: string) => arn('dynamodb', `table/${name}`);
export const queueArn = (queue: string) => arn('sqs', queue);
export const topicArn = (topic: string) => arn('sns', topic);
export const alertsTopicArn = topicArn('pixwatch-alerts');
export const alarmsTopicArn = topicArn('pixwatch-alarms');
export const videoTopicArn = topicArn('pixwatch-video-done');
/** Nobody has to take it on here. */
export const videoRoleArn = `arn:aws:iam::${account}:role/pixwatch-video`;
export const stateMachineArn = arn('states', `stateMachine:${stateMachineName}`);
export const executionArn = (name: string) => arn('states', `execution:${stateMachineName}:${name}`);
export const functionArn = (name: string) => arn('lambda', `function:${name}`);

/** The names that steps are given, for the local cloud at an endpoint. */
export function backendNames(endpoint: string): BackendNames {
  const queueUrl = (queue: string) => `${endpoint}/${account}/${queue}`;
  return {
    inputBucket,
    outputBucket,
    table,
    topicArn: alertsTopicArn,
    alarmsTopicArn,
    stateMachineArn,
    inboxQueueUrl: queueUrl(inboxQueue),
    deadLetterQueueUrl: queueUrl(deadLetterQueue),
    videoTopicArn,
    videoRoleArn,
  };
}
