import { App, Stack } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { desktopPolicy } from '../../../cloud/access/desktopPolicy.ts';
import { table, tableArn } from '../../../cloud/local/names.ts';
import { type FunctionName, functions } from '../../../cloud/stack/functions.ts';
import { deliverLogs, grants, writeLogs } from '../../../cloud/stack/grants.ts';
import { textOf } from '../../../cloud/stack/role.ts';
import { backendPartitions, rulesPartition, subscriptionsPartition } from '../../../shared/keys.ts';
import type { LibraryId } from '../../../shared/model/asset.ts';
import { refused } from './calls.ts';
import { synthesize } from './synth.ts';

const everything = synthesize({ auditTrail: true, archiveAfterDays: 30 });
const least = synthesize({ accessLogs: false, removalPolicy: 'destroy' });

interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: Parameters<typeof textOf>[0] | readonly Parameters<typeof textOf>[0][];
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

const list = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T]);

/** Every statement of the template, with the resource it stands in. */
function statementsOf({ resources }: typeof everything): { where: string; statement: Statement }[] {
  return [...resources].flatMap(([id, { Type, Properties }]) => {
    const inline = (Properties?.Policies ?? []) as { PolicyDocument?: { Statement: Statement[] } }[];
    const documents =
      Type === 'AWS::Cognito::UserPool' ? [] : [Properties?.PolicyDocument, ...list(inline).map(({ PolicyDocument }) => PolicyDocument)];
    return documents.flatMap((document) => (document?.Statement ?? []).map((statement: Statement) => ({ where: id, statement })));
  });
}

/** A statement as text. */
const lineOf = (actions: readonly string[], resources: readonly string[]) =>
  `${[...actions].sort().join(' ')} on ${[...resources].sort().join(' ')}`;

/** Each statement that may name more than one thing, as it must be in the template, with its reason. */
function explained(of: typeof everything): Map<string, string> {
  const idOf = (type: string, name: string) => [...of.resources].find(([id, { Type }]) => Type === type && id.startsWith(name))?.[0];
  const arn = (type: string, name: string) => `<${idOf(type, name)}.Arn>`;
  const states = 'arn:<AWS::Partition>:states:eu-west-1:<AWS::AccountId>';
  const to = {
    inputBucket: arn('AWS::S3::Bucket', 'StorageInput'),
    outputBucket: arn('AWS::S3::Bucket', 'StorageOutput'),
    table: arn('AWS::DynamoDB::GlobalTable', 'IndexTable'),
    alertsTopic: `<${idOf('AWS::SNS::Topic', 'Alerts7')}>`,
    alarmsTopic: `<${idOf('AWS::SNS::Topic', 'AlertsAlarms')}>`,
    inboxQueue: arn('AWS::SQS::Queue', 'QueuesInbox'),
    deadLetterQueue: arn('AWS::SQS::Queue', 'QueuesDeadLetters'),
    videoAnswersQueue: arn('AWS::SQS::Queue', 'VideoAnswers'),
    videoRole: arn('AWS::IAM::Role', 'VideoRole'),
    stateMachine: `${states}:stateMachine:pixwatch-pipeline`,
    executions: `${states}:execution:pixwatch-pipeline:*`,
  };
  const all = [...Object.values(grants(to)), writeLogs('<log group>'), deliverLogs];
  return new Map(all.flatMap((grant) => ('wildcard' in grant ? [[lineOf(grant.actions, grant.resources), grant.wildcard ?? '']] : [])));
}

describe.each([
  ['with everything', everything],
  ['with the least', least],
])('the policies %s', (_, of) => {
  const reasons = explained(of);
  const isLogGroup = (id: string) => of.resources.get(id)?.Type === 'AWS::Logs::LogGroup';
  const reasonOf = (where: string, line: string) =>
    where.startsWith('StorageLogsPolicy') && line.startsWith('s3:PutObject on <StorageLogs')
      ? 'S3 and CloudTrail name the log files that they write.'
      : where.startsWith('AccessDesktopRole') &&
          /^[^*]*<cognito-identity\.amazonaws\.com:sub>\/\*( [^*]*<cognito-identity\.amazonaws\.com:sub>\/\*)*$/.test(line)
        ? 'Everything under a prefix that is the identity of whoever signed in.'
        : reasons.get(line);
  const allowed = statementsOf(of).filter(({ statement }) => statement.Effect === 'Allow');

  it('allow no wildcard that has no reason', () => {
    expect(allowed.length).toBeGreaterThan(50);
    for (const { where, statement } of allowed) {
      const actions = list(statement.Action);
      const resources = list(statement.Resource).map((resource) =>
        textOf(resource).replace(/<(\w+)\.Arn>/, (text, id) => (isLogGroup(id) ? '<log group>' : text)),
      );
      expect(
        actions.filter((action) => action.includes('*')),
        where,
      ).toEqual([]);
      const line = lineOf(actions, resources);
      if (/\*|<log group>/.test(line)) expect([where, line, reasonOf(where, line)]).toEqual([where, line, expect.stringMatching(/\w{4}/)]);
    }
  });

  it('are those of the list: no role has a managed one, and CDK made none', () => {
    for (const { Properties } of of.ofType('AWS::IAM::Role')) expect(Properties.ManagedPolicyArns).toBeUndefined();
    expect([...of.ofType('AWS::IAM::Policy'), ...of.ofType('AWS::IAM::ManagedPolicy')]).toEqual([]);
  });

  it('let in nobody from outside', () => {
    for (const { where, statement } of allowed) {
      if (statement.Principal)
        expect([where, JSON.stringify(statement.Principal)]).toEqual([
          where,
          expect.stringMatching(/^\{"Service":"[\w.]+\.amazonaws\.com"\}$/),
        ]);
    }
  });

  it('let AWS’s own services in only on behalf of this account', () => {
    const ofServices = statementsOf(of).filter(({ statement }) => JSON.stringify(statement.Principal ?? '').includes('"Service"'));
    const named = ({ where, statement }: (typeof ofServices)[number]) => `${where} ${JSON.stringify(statement.Principal)}`;
    const confined = ofServices.filter(({ statement }) => /"aws:Source(Arn|Account)"/.test(JSON.stringify(statement.Condition ?? '')));
    expect(ofServices.length).toBeGreaterThan(3);
    expect([...new Set(ofServices.map(named))].sort()).toEqual([...new Set(confined.map(named))].sort());
  });
});

it('each function may do what it needs and nothing else', () => {
  const actionsOf = (role: string) => {
    const { Policies } = everything.one('AWS::IAM::Role', role).Properties;
    const statements: Statement[] = Policies[0].PolicyDocument.Statement;
    return [...new Set(statements.flatMap(({ Action }) => list(Action)))].filter((action) => !/^(logs|xray):/.test(action)).sort();
  };
  expect(actionsOf('Pipelinerender')).toEqual(['s3:AbortMultipartUpload', 's3:GetObject', 's3:ListBucket', 's3:PutObject']);
  expect(actionsOf('PipelinedetectLabels').filter((action) => action.startsWith('rekognition:'))).toEqual(['rekognition:DetectLabels']);
  expect(actionsOf('Pipelinekeep')).toEqual(['dynamodb:GetItem', 'dynamodb:PutItem']);
  expect(actionsOf('TimerRole')).toEqual(['lambda:InvokeFunction']);
  // Only one function deletes anything of the user's, and only from the inbox.
  const deleting = statementsOf(everything).filter(({ statement }) => list(statement.Action).includes('s3:DeleteObject'));
  expect(deleting.map(({ where }) => where.replace(/[0-9A-F]{8}$/, ''))).toEqual(['PipelinefileRole']);
  expect(textOf(list(deleting[0]?.statement.Resource ?? '')[0] ?? '')).toMatch(/\/inbox\/\*$/);
});

it('each function gets at the partitions of the table that it needs and no other', () => {
  const library = 'eu-west-1:7b1d1bd8-11c5-4f3f-9a5e-ab1f2c3d4e5f' as LibraryId;
  const partitions = {
    records: library,
    rules: rulesPartition(library),
    subscriptions: subscriptionsPartition(library),
    ...Object.fromEntries(backendPartitions.map((name) => [name, name])),
  };
  const actions = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query', 'BatchGetItem', 'BatchWriteItem', 'Scan'];
  const may = (name: FunctionName, keys?: string) => {
    const context = keys === undefined ? {} : { 'dynamodb:LeadingKeys': [keys] };
    return actions.some((action) => refused(name, [{ action: `dynamodb:${action}`, resource: tableArn(table), context }]).length === 0);
  };
  const reached = (Object.keys(functions) as FunctionName[]).map((name) => {
    expect([name, may(name)]).toEqual([name, false]);
    const names = Object.entries(partitions).filter(([, keys]) => may(name, keys));
    return [name, names.map(([partition]) => partition).sort()];
  });
  const detector = ['outbox', 'usage'];
  const publisher = ['ended-subscriptions', 'outbox'];
  expect(Object.fromEntries(reached)).toEqual({
    admit: ['records'],
    render: [],
    poster: [],
    startVideoLabels: [...detector, 'videoJobs'],
    videoLabelsDone: ['usage', 'videoJobs'],
    detectLabels: detector,
    detectText: detector,
    detectModeration: detector,
    detectFaces: detector,
    pixelate: [],
    categorise: ['rules'],
    record: ['records'],
    park: ['outbox', 'records', 'waiting'],
    keep: ['records'],
    reject: ['records'],
    file: ['records'],
    announce: [...publisher, 'records'],
    drainOutbox: publisher,
    resumeWaiting: ['usage', 'waiting'],
    dispatch: ['usage'],
    executionEnded: ['records'],
    commands: ['ended-subscriptions', 'records', 'subscriptions', 'usage', 'waiting'],
  });
});

it('Rekognition may say that it is done with a video, nothing else, and nobody may lend that to anybody but Rekognition', () => {
  const idOf = (type: string, name: string) => [...everything.resources].find(([id, r]) => r.Type === type && id.startsWith(name))?.[0];
  const { AssumeRolePolicyDocument, Policies } = everything.one('AWS::IAM::Role', 'VideoRole').Properties;
  const account = { Ref: 'AWS::AccountId' };
  const jobs = ['arn:', { Ref: 'AWS::Partition' }, ':rekognition:', { Ref: 'AWS::Region' }, ':', account, ':*'];
  expect(AssumeRolePolicyDocument.Statement).toEqual([
    {
      Effect: 'Allow',
      Action: 'sts:AssumeRole',
      Principal: { Service: 'rekognition.amazonaws.com' },
      Condition: { StringEquals: { 'aws:SourceAccount': account }, ArnLike: { 'aws:SourceArn': { 'Fn::Join': ['', jobs] } } },
    },
  ]);
  expect(Policies[0].PolicyDocument.Statement).toEqual([
    { Effect: 'Allow', Action: 'sns:Publish', Resource: { Ref: idOf('AWS::SNS::Topic', 'VideoDone') } },
  ]);
  const passing = statementsOf(everything).filter(({ statement }) => list(statement.Action).includes('iam:PassRole'));
  expect(passing.map(({ where }) => where.replace(/[0-9A-F]{8}$/, ''))).toEqual(['PipelinestartVideoLabelsRole']);
  expect(passing[0]?.statement).toMatchObject({
    Action: 'iam:PassRole',
    Resource: { 'Fn::GetAtt': [idOf('AWS::IAM::Role', 'VideoRole'), 'Arn'] },
    Condition: { StringEquals: { 'iam:PassedToService': 'rekognition.amazonaws.com' } },
  });
});

it('a signed-in desktop may do what cloud/access says', () => {
  const arnOf = (type: string, name: string) => {
    const [id] = [...everything.resources].find(([id, { Type }]) => Type === type && id.startsWith(name)) ?? [];
    return { 'Fn::GetAtt': [id, 'Arn'] };
  };
  const tokens = { inputBucketArn: '<in>', outputBucketArn: '<out>', tableArn: '<table>', commandsFunctionArn: '<commands>' };
  const wanted = desktopPolicy(tokens).Statement.map(({ Sid, Action, Condition }) => ({ Sid, Action: list(Action), Condition }));
  const { Statement } = everything.one('AWS::IAM::Role', 'AccessDesktopRole').Properties.Policies[0].PolicyDocument;
  const found = Statement.map(({ Sid, Action, Condition }: Statement & { Sid: string; Condition: unknown }) => ({
    Sid,
    Action: list(Action),
    Condition,
  }));
  expect(found).toEqual(wanted);
  expect(Statement.at(-1).Resource).toEqual(arnOf('AWS::Lambda::Function', 'commands'));
});

describe('cdk-nag', () => {
  const findings = (app: App) => new AwsSolutionsChecks(app).validateScope(app).violations.map(({ ruleName }) => ruleName);

  it('finds nothing that is not explained', () => {
    expect(findings(everything.app)).toEqual([]);
    expect(findings(least.app)).toEqual([]);
  });

  it('does find what is wrong', () => {
    const app = new App();
    new Bucket(new Stack(app, 'bad'), 'Bucket');
    expect(findings(app)).toContain('AwsSolutions-S10');
  });
});
