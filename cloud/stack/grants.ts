import { backendPartitions } from '../../shared/keys.ts';

/** The ARNs of what functions may be let at. */
export interface Resources {
  readonly inputBucket: string;
  readonly outputBucket: string;
  readonly table: string;
  readonly alertsTopic: string;
  readonly alarmsTopic: string;
  readonly inboxQueue: string;
  readonly deadLetterQueue: string;
  readonly videoAnswersQueue: string;
  /** What Rekognition takes on to say that it is done with a video. */
  readonly videoRole: string;
  readonly stateMachine: string;
  /** Of all executions of the state machine. */
  readonly executions: string;
}

export interface Grant {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
  /** Why it names more than one thing: given for every wildcard, or a test fails. */
  readonly wildcard?: string;
}

export type GrantName = keyof ReturnType<typeof grants>;

const keys = 'The keys of a bucket are made of libraries and contents, which nobody knows beforehand.';
const executions = 'Executions are named by a hash of what they are about.';
/** As Lambda does for a function: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
const pollQueue = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'];
const noResource = 'The API knows no resources: its actions are granted on "*" or not at all.';

/** Everything that functions may do, each by the steps' own calls. Who gets what is in functions.ts. */
export const grants = (to: Resources) =>
  ({
    // Who may not list a bucket gets 403 and not 404 for an object that is not there.
    missInput: { actions: ['s3:ListBucket'], resources: [to.inputBucket] },
    missOutput: { actions: ['s3:ListBucket'], resources: [to.outputBucket] },
    readInbox: { actions: ['s3:GetObject'], resources: [`${to.inputBucket}/inbox/*`], wildcard: keys },
    fileOriginals: {
      actions: ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload'],
      resources: [`${to.inputBucket}/analyzed/*`, `${to.inputBucket}/rejected/*`],
      wildcard: keys,
    },
    findOriginals: {
      actions: ['s3:GetObject'],
      resources: [`${to.inputBucket}/analyzed/*`, `${to.inputBucket}/rejected/*`],
      wildcard: keys,
    },
    restoreOriginals: { actions: ['s3:RestoreObject'], resources: [`${to.inputBucket}/analyzed/*`], wildcard: keys },
    emptyInbox: { actions: ['s3:DeleteObject'], resources: [`${to.inputBucket}/inbox/*`], wildcard: keys },
    readOutput: { actions: ['s3:GetObject'], resources: [`${to.outputBucket}/*`], wildcard: keys },
    writeOutput: { actions: ['s3:PutObject', 's3:AbortMultipartUpload'], resources: [`${to.outputBucket}/*`], wildcard: keys },

    detectLabels: { actions: ['rekognition:DetectLabels'], resources: ['*'], wildcard: noResource },
    detectText: { actions: ['rekognition:DetectText'], resources: ['*'], wildcard: noResource },
    detectModeration: { actions: ['rekognition:DetectModerationLabels'], resources: ['*'], wildcard: noResource },
    detectFaces: { actions: ['rekognition:DetectFaces'], resources: ['*'], wildcard: noResource },
    startVideoLabels: { actions: ['rekognition:StartLabelDetection'], resources: ['*'], wildcard: noResource },
    readVideoLabels: { actions: ['rekognition:GetLabelDetection'], resources: ['*'], wildcard: noResource },
    passVideoRole: {
      actions: ['iam:PassRole'],
      resources: [to.videoRole],
      conditions: { StringEquals: { 'iam:PassedToService': 'rekognition.amazonaws.com' } },
    },

    readRecords: { actions: ['dynamodb:GetItem'], resources: [to.table], conditions: records },
    changeRecords: { actions: ['dynamodb:GetItem', 'dynamodb:PutItem'], resources: [to.table], conditions: records },
    readRules: { actions: ['dynamodb:Query'], resources: [to.table], conditions: partitions('*#rules') },
    storeSubscriptions: {
      actions: ['dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:DeleteItem'],
      resources: [to.table],
      conditions: partitions('*#subscriptions', 'ended-subscriptions'),
    },
    endSubscriptions: {
      actions: ['dynamodb:Query', 'dynamodb:DeleteItem'],
      resources: [to.table],
      conditions: partitions('ended-subscriptions'),
    },
    enqueueAlerts: { actions: ['dynamodb:GetItem', 'dynamodb:PutItem'], resources: [to.table], conditions: partitions('outbox') },
    useOutbox: {
      actions: [
        ...['dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
        ...['dynamodb:BatchGetItem', 'dynamodb:BatchWriteItem'],
      ],
      resources: [to.table],
      conditions: partitions('outbox'),
    },
    countUsage: { actions: ['dynamodb:UpdateItem'], resources: [to.table], conditions: partitions('usage') },
    readUsage: { actions: ['dynamodb:GetItem'], resources: [to.table], conditions: partitions('usage') },
    noteWaiting: { actions: ['dynamodb:PutItem'], resources: [to.table], conditions: partitions('waiting') },
    takeWaiting: {
      actions: ['dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:DeleteItem'],
      resources: [to.table],
      conditions: partitions('waiting'),
    },
    noteVideoJobs: {
      actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
      resources: [to.table],
      conditions: partitions('videoJobs'),
    },

    // Who gets alarms is told of the budget, too.
    publishAlerts: { actions: ['sns:Publish'], resources: [to.alertsTopic, to.alarmsTopic] },
    subscribe: { actions: ['sns:Subscribe'], resources: [to.alertsTopic] },
    changeSubscriptions: { actions: ['sns:SetSubscriptionAttributes'], resources: ['*'], wildcard: noResource },
    unsubscribe: { actions: ['sns:GetSubscriptionAttributes', 'sns:Unsubscribe'], resources: ['*'], wildcard: noResource },

    takeFromInbox: { actions: pollQueue, resources: [to.inboxQueue] },
    takeVideoAnswers: { actions: pollQueue, resources: [to.videoAnswersQueue] },
    sendToInbox: { actions: ['sqs:SendMessage'], resources: [to.inboxQueue] },
    sendDeadLetters: { actions: ['sqs:SendMessage'], resources: [to.deadLetterQueue] },
    takeDeadLetters: {
      actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'],
      resources: [to.deadLetterQueue],
    },

    startExecutions: { actions: ['states:StartExecution'], resources: [to.stateMachine] },
    answerTasks: { actions: ['states:SendTaskSuccess', 'states:SendTaskFailure'], resources: [to.stateMachine] },
    lookUpExecutions: { actions: ['states:DescribeExecution'], resources: [to.executions], wildcard: executions },
    readHistories: { actions: ['states:GetExecutionHistory'], resources: [to.executions], wildcard: executions },

    trace: { actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], resources: ['*'], wildcard: noResource },
    traceBySampling: { actions: ['xray:GetSamplingRules', 'xray:GetSamplingTargets'], resources: ['*'], wildcard: noResource },
  }) satisfies Record<string, Grant>;

/** Only items whose partition key is like one of these. */
function partitions(...patterns: string[]) {
  // ForAllValues holds for a request without any key, too.
  return { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': patterns }, Null: { 'dynamodb:LeadingKeys': 'false' } };
}

/** Only the partitions of libraries' records, whose keys are the libraries' names: nobody knows these beforehand, but what they are not. */
const records = {
  'ForAllValues:StringNotLike': { 'dynamodb:LeadingKeys': ['*#*', ...backendPartitions] },
  Null: { 'dynamodb:LeadingKeys': 'false' },
};

/** What else roles are granted besides those of the list. */

export const invoke = (functions: readonly string[]): Grant => ({ actions: ['lambda:InvokeFunction'], resources: functions });

export const writeLogs = (logGroup: string): Grant => ({
  actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
  resources: [logGroup],
  wildcard: 'Lambda names the streams of the one log group.',
});

/** As https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html lists them. */
export const deliverLogs: Grant = {
  actions: [
    'logs:CreateLogDelivery',
    'logs:GetLogDelivery',
    'logs:UpdateLogDelivery',
    'logs:DeleteLogDelivery',
    'logs:ListLogDeliveries',
    'logs:PutResourcePolicy',
    'logs:DescribeResourcePolicies',
    'logs:DescribeLogGroups',
  ],
  resources: ['*'],
  wildcard: noResource,
};
