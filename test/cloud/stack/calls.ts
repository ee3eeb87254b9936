import { type AccessRequest, evaluatePolicy } from '../../../cloud/access/evaluatePolicy.ts';
import { dynamodbAccess } from '../../../cloud/local/dynamodbAccess.ts';
import { type Service, ServiceError, type SignedRequest } from '../../../cloud/local/gateway/service.ts';
import * as local from '../../../cloud/local/names.ts';
import { queueArn } from '../../../cloud/local/names.ts';
import { type FunctionName, functions } from '../../../cloud/stack/functions.ts';
import { type Grant, grants } from '../../../cloud/stack/grants.ts';

/** What functions ask of AWS, as IAM sees it, and whether their grants allow it. */

const inputArn = `arn:aws:s3:::${local.inputBucket}`;
const resources = {
  inputBucket: inputArn,
  outputBucket: `arn:aws:s3:::${local.outputBucket}`,
  table: local.tableArn(local.table),
  alertsTopic: local.alertsTopicArn,
  alarmsTopic: local.alarmsTopicArn,
  inboxQueue: queueArn(local.inboxQueue),
  deadLetterQueue: queueArn(local.deadLetterQueue),
  videoAnswersQueue: queueArn('pixwatch-video-answers'),
  videoRole: 'arn:aws:iam::000000000000:role/pixwatch-video',
  stateMachine: local.stateMachineArn,
  executions: local.executionArn('*'),
};

/** The calls for which a function has no grant, as text. */
export function refused(name: FunctionName, calls: readonly AccessRequest[]): string[] {
  const all: Readonly<Record<string, Grant>> = grants(resources);
  const Statement = functions[name].grants.flatMap((grant) => {
    const { actions, resources, conditions } = all[grant] as Grant;
    return { Effect: 'Allow', Action: [...actions], Resource: [...resources], ...(conditions && { Condition: conditions }) };
  });
  const denied = calls.filter((call) => evaluatePolicy({ Version: '2012-10-17', Statement }, call) !== 'allowed');
  return denied.map(({ action, resource, context }) => `${name}: ${action} on ${resource} ${JSON.stringify(context)}`);
}

/** Notes each request to a service as the calls that IAM would judge. */
export function recording(calls: AccessRequest[]): (name: string, service: Service) => Service {
  return (name, service) => async (request, response) => {
    if (name === 's3') return recordS3(calls, service, request, response);
    const body = await request.readBody(16 << 20);
    calls.push(callOf(name, request, body.toString()));
    return service({ ...request, readBody: async () => body }, response);
  };
}

async function recordS3(calls: AccessRequest[], service: Service, request: SignedRequest, response: Parameters<Service>[1]): Promise<void> {
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/.exec(decodeURIComponent(request.rawPath)) ?? [];
  const call = (action: string, resource: string) =>
    calls.push({ action: `s3:${action}`, resource: `arn:aws:s3:::${resource}`, context: {} });
  const isPart = request.query.has('uploadId');
  if (request.method === 'DELETE') call(isPart ? 'AbortMultipartUpload' : 'DeleteObject', `${bucket}/${key}`);
  else if (request.query.has('restore')) call('RestoreObject', `${bucket}/${key}`);
  else call(request.method === 'PUT' || request.method === 'POST' ? 'PutObject' : 'GetObject', `${bucket}/${key}`);
  const source = request.headers['x-amz-copy-source'];
  if (typeof source === 'string') call('GetObject', decodeURIComponent(source).replace(/^\//, ''));
  try {
    await service(request, response);
  } catch (thrown) {
    // Who may not list the bucket is told 403 instead, which is another error to the steps.
    if (thrown instanceof ServiceError && thrown.status === 404) call('ListBucket', bucket);
    throw thrown;
  }
}

function callOf(name: string, { headers }: SignedRequest, body: string): AccessRequest {
  if (name === 'sns') {
    const form = new URLSearchParams(body);
    return { action: `sns:${form.get('Action')}`, resource: form.get('TopicArn') ?? '*', context: {} };
  }
  const action = `${name}:${String(headers['x-amz-target']).split('.').at(-1)}`;
  const input = JSON.parse(body);
  switch (name) {
    case 'dynamodb': {
      const [needed, ...more] = dynamodbAccess(action.replace('dynamodb:', ''), input);
      if (!needed || more.length > 0) throw new Error(`of one table at a time: ${body}`);
      return needed;
    }
    case 'sqs':
      // Whoever may do something may do it in batches.
      return { action: action.replace(/Batch$/, ''), resource: queueArn(input.QueueUrl.split('/').at(-1)), context: {} };
    case 'states':
      // A task's token names its execution to Step Functions alone.
      return { action, resource: input.executionArn ?? input.stateMachineArn ?? local.stateMachineArn, context: {} };
    default:
      return { action, resource: '*', context: {} };
  }
}
