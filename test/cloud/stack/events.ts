import { createHash, randomUUID } from 'node:crypto';

/** Events of AWS with everything in them, as its documentation shows them. */

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html; the key is raw. */
export const objectCreated = (bucket: string, key: string, version: string) => ({
  version: '0',
  id: randomUUID(),
  'detail-type': 'Object Created',
  source: 'aws.s3',
  account: '111122223333',
  time: '2026-01-12T00:00:00Z',
  region: 'eu-west-1',
  resources: [`arn:aws:s3:::${bucket}`],
  detail: {
    version: '0',
    bucket: { name: bucket },
    object: { key, size: 5, etag: 'b1946ac92492d2347c6235b4d2611184', 'version-id': version, sequencer: '617f08299329d189' },
    'request-id': 'N4N7GDK58NMKJ12R',
    requester: '123456789012',
    'source-ip-address': '192.0.2.4',
    reason: 'CompleteMultipartUpload',
  },
});

/** https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
export const sqsBatch = (bodies: readonly string[]) => ({
  Records: bodies.map((body, i) => ({
    messageId: `message-${i}`,
    receiptHandle: 'AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a',
    body,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: '1545082649183',
      SenderId: 'AIDAIENQZJOLO23YVJ4VO',
      ApproximateFirstReceiveTimestamp: '1545082649185',
    },
    messageAttributes: {},
    md5OfBody: createHash('md5').update(body).digest('hex'),
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-west-1:111122223333:inbox',
    awsRegion: 'eu-west-1',
  })),
});

/** https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html */
export const executionFailed = (name: string, input: object, error = 'Transient', cause = '{"errorMessage":"The disk is full."}') => ({
  version: '0',
  id: randomUUID(),
  'detail-type': 'Step Functions Execution Status Change',
  source: 'aws.states',
  account: '111122223333',
  time: '2026-01-12T00:00:00Z',
  region: 'eu-west-1',
  resources: [`arn:aws:states:eu-west-1:111122223333:execution:pixwatch-pipeline:${name}`],
  detail: {
    executionArn: `arn:aws:states:eu-west-1:111122223333:execution:pixwatch-pipeline:${name}`,
    stateMachineArn: 'arn:aws:states:eu-west-1:111122223333:stateMachine:pixwatch-pipeline',
    name,
    status: 'FAILED',
    startDate: 1551225146847,
    stopDate: 1551225151881,
    input: JSON.stringify(input),
    output: null,
    inputDetails: { included: true },
    outputDetails: null,
    error,
    cause,
    stateMachineVersionArn: null,
    stateMachineAliasArn: null,
    redriveCount: 0,
    redriveDate: null,
    redriveStatus: 'REDRIVABLE',
    redriveStatusReason: null,
  },
});

/**
 * What SNS puts into a queue of what Rekognition says at a job's end: https://docs.aws.amazon.com/rekognition/latest/dg/video-notification-payload.html
 * in https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html
 */
export const videoAnswered = (JobId: string, JobTag: string, Status = 'SUCCEEDED') => ({
  Type: 'Notification',
  MessageId: randomUUID(),
  TopicArn: 'arn:aws:sns:eu-west-1:111122223333:pixwatch-VideoDone',
  Message: JSON.stringify({
    JobId,
    Status,
    API: 'StartLabelDetection',
    JobTag,
    Timestamp: 1768176000000,
    Video: { S3ObjectName: 'inbox/local/0.mp4', S3Bucket: 'pixwatch-input' },
  }),
  Timestamp: '2026-01-12T00:00:00.000Z',
  SignatureVersion: '1',
  Signature:
    'EXAMPLEpH+DcEwjAPg8O9mY8dReBSwksfg2S7WKQcikcNKWLQjwu6A4VbeS0QHVCkhRS7fUQvi2egU3N858fiTDN6bkkOxYDVrY0Ad8L10Hs3zH81mtnPk5uvvolIC1CXGu43obcgFxeL3khZl8IKvO61GWB6jI9b5+gLPoBc1Q=',
  SigningCertURL: 'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem',
  UnsubscribeURL:
    'https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:eu-west-1:111122223333:pixwatch-VideoDone:c9135db0',
});
