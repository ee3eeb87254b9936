import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadStateMachine } from '../../../cloud/local/stateMachine.ts';
import { entryOf } from '../../../cloud/stack/bundling.ts';
import { functionOf, functions } from '../../../cloud/stack/functions.ts';
import { placeholders } from '../../../cloud/stack/pipeline.ts';
import { defaultQuotas } from '../../../cloud/stack/quotas.ts';
import { lambdaSilence } from '../../../cloud/steps/backend.ts';
import { steps } from '../../../cloud/steps/steps.ts';
import { emptyLibrary, monthlyCounts } from '../../../shared/forecast.ts';
import { type Resource, synthesize } from './synth.ts';

const kept = synthesize();
const other = synthesize({
  removalPolicy: 'destroy',
  archiveAfterDays: 30,
  accessLogs: false,
  auditTrail: true,
  capPerMonth: null,
  spendAlarmPerMonth: 300,
  logRetentionDays: 7,
  subscribers: [
    { protocol: 'email', endpoint: 'me@example.org', gets: 'alarms' },
    { protocol: 'sms', endpoint: '+15551234567', gets: 'alerts' },
  ],
});

const buckets = (of: typeof kept) => of.ofType('AWS::S3::Bucket').map(({ Properties }) => Properties);
const arnOf = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const idOf = ({ resources }: typeof kept, wanted: Resource) => [...resources].find(([, resource]) => resource === wanted)?.[0] ?? '';

describe('storage', () => {
  it('is private, encrypted and refuses what is not TLS', () => {
    expect(buckets(kept)).toHaveLength(3);
    for (const bucket of buckets(kept)) {
      expect(bucket.PublicAccessBlockConfiguration).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      expect(bucket.BucketEncryption.ServerSideEncryptionConfiguration).toEqual([
        { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } },
      ]);
      expect(bucket.AccessControl).toBeUndefined();
    }
    const policies = kept.ofType('AWS::S3::BucketPolicy');
    expect(policies).toHaveLength(3);
    for (const { Properties } of policies) {
      const denied = Properties.PolicyDocument.Statement.filter(({ Effect }: { Effect: string }) => Effect === 'Deny');
      expect(denied).toContainEqual(expect.objectContaining({ Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }));
      expect(denied).toContainEqual(expect.objectContaining({ Action: 's3:*', Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } } }));
    }
  });

  it('keeps versions of originals, for as long as they may be wanted, and no abandoned upload', () => {
    const input = kept.one('AWS::S3::Bucket', 'StorageInput').Properties;
    expect(input.VersioningConfiguration).toEqual({ Status: 'Enabled' });
    const rules = input.LifecycleConfiguration.Rules;
    expect(rules).toContainEqual(expect.objectContaining({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } }));
    expect(rules).toContainEqual(
      expect.objectContaining({
        Prefix: 'inbox/',
        NoncurrentVersionExpiration: { NoncurrentDays: 1 },
        ExpiredObjectDeleteMarker: true,
      }),
    );
    expect(rules).toContainEqual(expect.objectContaining({ NoncurrentVersionExpiration: { NoncurrentDays: 30 } }));
    // Nothing deletes an original that is in use.
    for (const rule of rules) expect(rule).not.toHaveProperty('ExpirationInDays');
    // Nor a rendition or a paid answer: none of them is temporary (cloud/stack/storage.ts). Who makes one that is has to give it a rule, and say so here.
    expect(kept.one('AWS::S3::Bucket', 'StorageOutput').Properties.LifecycleConfiguration.Rules).toEqual([
      { Id: 'abandoned-uploads', Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } },
    ]);
  });

  it('archives analysed originals only when asked', () => {
    const transitions = (of: typeof kept) =>
      of.one('AWS::S3::Bucket', 'StorageInput').Properties.LifecycleConfiguration.Rules.filter((rule: object) => 'Transitions' in rule);
    expect(transitions(kept)).toEqual([]);
    expect(transitions(other)).toEqual([
      { Id: 'archive', Status: 'Enabled', Prefix: 'analyzed/', Transitions: [{ StorageClass: 'GLACIER', TransitionInDays: 30 }] },
    ]);
  });

  it('writes access logs and an audit trail when asked', () => {
    expect(buckets(kept).filter((bucket) => bucket.LoggingConfiguration)).toHaveLength(2);
    expect(kept.ofType('AWS::CloudTrail::Trail')).toEqual([]);
    expect(buckets(other).filter((bucket) => bucket.LoggingConfiguration)).toEqual([]);
    const { Properties } = other.one('AWS::CloudTrail::Trail');
    expect(Properties.EnableLogFileValidation).toBe(true);
    expect(Properties.EventSelectors[0].DataResources[0].Values).toHaveLength(2);
    expect(buckets(synthesize({ accessLogs: false }))).toHaveLength(2);
  });
});

describe('the index', () => {
  it('is on demand, encrypted, can be restored to any second, and has the changes index', () => {
    const { Properties } = kept.one('AWS::DynamoDB::GlobalTable');
    const key = (hash: string, range: string) => [
      { AttributeName: hash, KeyType: 'HASH' },
      { AttributeName: range, KeyType: 'RANGE' },
    ];
    expect(Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      KeySchema: key('pk', 'sk'),
      GlobalSecondaryIndexes: [{ IndexName: 'changes', KeySchema: key('pk', 'changedAt'), Projection: { ProjectionType: 'ALL' } }],
      Replicas: [{ PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }, DeletionProtectionEnabled: true }],
    });
  });
});

describe('answers about videos', () => {
  const answers = kept.one('AWS::SQS::Queue', 'VideoAnswers');
  const deadLetters = arnOf(idOf(kept, kept.one('AWS::SQS::Queue', 'VideoDeadLetters')));
  const topic = { Ref: idOf(kept, kept.one('AWS::SNS::Topic', 'VideoDone')) };

  it('come by an encrypted topic and a queue, and what nothing can be made of at either goes to their dead letters', () => {
    expect(JSON.stringify(kept.one('AWS::SNS::Topic', 'VideoDone').Properties.KmsMasterKeyId)).toContain('alias/aws/sns');
    expect(kept.one('AWS::SNS::Subscription', 'VideoAnswers').Properties).toEqual({
      Protocol: 'sqs',
      TopicArn: topic,
      Endpoint: arnOf(idOf(kept, answers)),
      RedrivePolicy: { deadLetterTargetArn: deadLetters },
    });
    expect(answers.Properties.RedrivePolicy).toEqual({ deadLetterTargetArn: deadLetters, maxReceiveCount: 5 });
  });

  it('are put into the queues by that topic alone', () => {
    const policies = kept.ofType('AWS::SQS::QueuePolicy').flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
    const fromSns = policies.filter(({ Principal }) => Principal?.Service === 'sns.amazonaws.com');
    expect(fromSns).toHaveLength(2);
    for (const { Action, Condition } of fromSns) {
      expect([Action, Condition]).toEqual(['sqs:SendMessage', { ArnEquals: { 'aws:SourceArn': topic } }]);
    }
  });

  it('are taken up one by one, hidden for six times as long as that may take', () => {
    const id = idOf(kept, kept.one('AWS::Lambda::Function', 'VideovideoLabelsDone'));
    const mapping = kept.ofType('AWS::Lambda::EventSourceMapping').find(({ Properties }) => Properties.FunctionName.Ref === id);
    expect(mapping?.Properties).toMatchObject({ FunctionResponseTypes: ['ReportBatchItemFailures'], BatchSize: 1 });
    expect(answers.Properties.VisibilityTimeout).toBeGreaterThanOrEqual(6 * functions.videoLabelsDone.seconds);
  });

  it('are expected by the function that starts the work', () => {
    const { Environment } = kept.one('AWS::Lambda::Function', 'PipelinestartVideoLabels').Properties;
    const names = JSON.stringify(Environment.Variables.PIXWATCH_NAMES);
    for (const id of [topic.Ref, idOf(kept, kept.one('AWS::IAM::Role', 'VideoRole'))]) expect(names).toContain(id);
  });
});

describe('intake', () => {
  const inbox = kept.one('AWS::SQS::Queue', 'QueuesInbox');
  const deadLetters = arnOf(idOf(kept, kept.one('AWS::SQS::Queue', 'QueuesDeadLetters')));

  it('has dead letters on both hops, and for executions that ended badly', () => {
    expect(inbox.Properties.RedrivePolicy.deadLetterTargetArn).toEqual(deadLetters);
    const rules = kept.ofType('AWS::Events::Rule');
    expect(rules).toHaveLength(2);
    for (const { Properties } of rules)
      expect(Properties.Targets.map(({ DeadLetterConfig }: never) => DeadLetterConfig)).toEqual([{ Arn: deadLetters }]);
    const executionEnded = kept.one('AWS::Lambda::Function', 'IntakeexecutionEnded').Properties;
    expect(executionEnded.DeadLetterConfig).toEqual({ TargetArn: deadLetters });
  });

  it('takes what is created under inbox/ of the input bucket, and nothing else', () => {
    const created = kept.one('AWS::Events::Rule', 'IntakeObjectCreated').Properties;
    const input = kept.one('AWS::S3::Bucket', 'StorageInput');
    expect(created.EventPattern).toEqual({
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      detail: { bucket: { name: [{ Ref: idOf(kept, input) }] }, object: { key: [{ prefix: 'inbox/' }] } },
    });
    expect(created.Targets[0].Arn).toEqual(arnOf(idOf(kept, inbox)));
    expect(input.Properties.NotificationConfiguration).toEqual({ EventBridgeConfiguration: { EventBridgeEnabled: true } });
  });

  it('reports which messages failed, and hides a message for six times as long as the dispatcher may take', () => {
    const mapping = kept.one('AWS::Lambda::EventSourceMapping', 'Intake').Properties;
    expect(mapping).toMatchObject({ FunctionResponseTypes: ['ReportBatchItemFailures'], ScalingConfig: { MaximumConcurrency: 2 } });
    const { Timeout } = kept.one('AWS::Lambda::Function', 'Intakedispatch').Properties;
    expect(inbox.Properties.VisibilityTimeout).toBeGreaterThanOrEqual(6 * Timeout);
  });

  it('lets the dispatcher alone put messages back as often as their turn takes; Lambda ends every other chain after 16 rounds', () => {
    const functions = kept.ofType('AWS::Lambda::Function').filter(({ Properties }) => Properties.RecursiveLoop);
    expect(functions).toEqual([kept.one('AWS::Lambda::Function', 'Intakedispatch')]);
    expect(functions[0]?.Properties.RecursiveLoop).toBe('Allow');
  });

  it('hears of executions that failed, timed out or were aborted', () => {
    expect(kept.one('AWS::Events::Rule', 'IntakeExecutionEnded').Properties.EventPattern.detail).toMatchObject({
      status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
    });
  });

  it('encrypts its queues and refuses what is not TLS', () => {
    for (const { Properties } of kept.ofType('AWS::SQS::Queue')) {
      expect(Properties).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 14 * 86_400 });
    }
    for (const { Properties } of kept.ofType('AWS::SQS::QueuePolicy')) {
      expect(Properties.PolicyDocument.Statement[0]).toMatchObject({
        Effect: 'Deny',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      });
    }
  });
});

describe('the pipeline', () => {
  const { Properties } = kept.one('AWS::StepFunctions::StateMachine');
  const text = readFileSync(new URL('../../../cloud/pipeline.asl.json', import.meta.url), 'utf8');

  it('is the very definition that the local cloud runs, each place filled by the function of that step', () => {
    expect(Properties.DefinitionString).toBe(text);
    const substitutions: Record<string, { 'Fn::GetAtt': [string, string] }> = Properties.DefinitionSubstitutions;
    expect(Object.keys(substitutions).sort()).toEqual(Object.keys(steps).sort());
    expect([...placeholders].sort()).toEqual(Object.keys(steps).sort());
    for (const [
      step,
      {
        'Fn::GetAtt': [id],
      },
    ] of Object.entries(substitutions)) {
      expect(id).toMatch(new RegExp(`^Pipeline${functionOf(step as keyof typeof steps)}[0-9A-F]{8}$`));
    }
  });

  it('has a function for each file, and a file for each function', () => {
    const dir = fileURLToPath(new URL('../../../cloud/functions/', import.meta.url));
    const files = readdirSync(dir).flatMap((file) => /^(?!lambda\.)(\w+)\.ts$/.exec(file)?.[1] ?? []);
    expect(Object.keys(functions).sort()).toEqual(files.sort());
    expect(kept.ofType('AWS::Lambda::Function')).toHaveLength(files.length);
    for (const name of Object.keys(functions)) expect(existsSync(entryOf(name))).toBe(true);
  });

  it('is a standard one, traced, with a log of what failed, without contents, under the name that its functions were told', () => {
    expect(Properties.StateMachineType ?? 'STANDARD').toBe('STANDARD');
    expect(Properties.TracingConfiguration).toEqual({ Enabled: true });
    expect(Properties.LoggingConfiguration).toMatchObject({ Level: 'ERROR', IncludeExecutionData: false });
    const { Environment } = kept.one('AWS::Lambda::Function', 'Pipelineadmit').Properties;
    expect(JSON.stringify(Environment.Variables.PIXWATCH_NAMES)).toContain(`:stateMachine:${Properties.StateMachineName}\\"`);
  });

  it('is valid, and waits for a free function as long as for Rekognition', () => {
    expect(() =>
      loadStateMachine(Properties.DefinitionString, Object.fromEntries(Object.keys(steps).map((name) => [name, async () => ({})]))),
    ).not.toThrow();
    const patient = [...text.matchAll(/"ErrorEquals": \[[^\]]*"Lambda\.TooManyRequestsException"[^\]]*\],[^}]*"MaxAttempts": 200/g)];
    expect(patient).toHaveLength(placeholders.length);
  });

  it('gives no state less time than its function', () => {
    const timeouts = [...text.matchAll(/"(?:Resource|FunctionName)": "\$\{(\w+)\}"(?:(?!"Resource")[\s\S])*?"TimeoutSeconds": (\d+)/g)];
    expect(timeouts).toHaveLength(placeholders.length);
    for (const [, step, seconds] of timeouts) {
      expect(Number(seconds), step).toBeGreaterThanOrEqual(functions[functionOf(step as keyof typeof steps)].seconds);
    }
  });
});

describe('every function', () => {
  it.each(kept.ofType('AWS::Lambda::Function').map(({ Properties }) => [Properties.LoggingConfig.LogGroup.Ref as string, Properties]))(
    '%s runs on Node 24 and arm64, is told the backend, and logs into a group of its own that forgets',
    (group, { Runtime, Architectures, Environment, TracingConfig }) => {
      expect({ Runtime, Architectures }).toEqual({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
      expect(Object.keys(Environment.Variables).sort()).toEqual(['NODE_OPTIONS', 'PIXWATCH_NAMES', 'PIXWATCH_SETTINGS']);
      if (!group.startsWith('Timer')) expect(TracingConfig).toEqual({ Mode: 'Active' });
      expect(kept.resources.get(group)).toMatchObject({ Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays: 90 } });
    },
  );

  it('hears of a service that is silent before Lambda ends the function', () => {
    expect(lambdaSilence / 1000).toBeLessThan(Math.min(...Object.values(functions).map(({ seconds }) => seconds)));
  });

  it('calls Rekognition as often as the account may and its functions can, or as the settings say', () => {
    const ratesOf = (of: typeof kept) => {
      const { PIXWATCH_SETTINGS } = of.one('AWS::Lambda::Function', 'PipelinedetectText').Properties.Environment.Variables;
      return JSON.parse(PIXWATCH_SETTINGS).callsPerSecond;
    };
    // As AWS's page has them for eu-west-1: https://docs.aws.amazon.com/general/latest/gr/rekognition.html
    const videos = { StartLabelDetection: 5, GetLabelDetection: 20 };
    expect(ratesOf(kept)).toEqual({ DetectLabels: 50, DetectText: 50, DetectModerationLabels: 50, DetectFaces: 100, ...videos });
    const chosen = synthesize(
      { callsPerSecond: { DetectText: 2, DetectFaces: null } },
      { ...defaultQuotas('eu-central-1'), functions: 14 },
    );
    const small = { StartLabelDetection: 5, GetLabelDetection: 5 };
    expect(ratesOf(chosen)).toEqual({ DetectLabels: 2, DetectText: 2, DetectModerationLabels: 2, DetectFaces: null, ...small });
  });

  it('has a log group that no other has', () => {
    const groups = kept.ofType('AWS::Lambda::Function').map(({ Properties }) => Properties.LoggingConfig.LogGroup.Ref);
    expect(new Set(groups).size).toBe(groups.length);
    for (const { Properties } of other.ofType('AWS::Logs::LogGroup')) expect(Properties.RetentionInDays).toBe(7);
  });
});

describe('alerts', () => {
  it('go by topics that refuse what is not TLS; what rules found is encrypted', () => {
    for (const { Properties } of kept.ofType('AWS::SNS::TopicPolicy')) {
      expect(Properties.PolicyDocument.Statement[0]).toMatchObject({
        Effect: 'Deny',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      });
    }
    expect(JSON.stringify(kept.one('AWS::SNS::Topic', 'Alerts7').Properties.KmsMasterKeyId)).toContain('alias/aws/sns');
  });

  it('reach the subscribers of the settings', () => {
    const toPeople = (of: typeof kept) => of.ofType('AWS::SNS::Subscription').filter(({ Properties }) => Properties.Protocol !== 'sqs');
    expect(toPeople(kept)).toEqual([]);
    expect(toPeople(other).map(({ Properties: { Protocol, Endpoint } }) => [Protocol, Endpoint])).toEqual(
      expect.arrayContaining([
        ['email', 'me@example.org'],
        ['sms', '+15551234567'],
      ]),
    );
  });

  it('leave the outbox each minute, and so do photos that wait for budget', () => {
    const schedules = kept.ofType('AWS::Scheduler::Schedule').map(({ Properties }) => Properties);
    for (const { ScheduleExpression } of schedules) expect(ScheduleExpression).toBe('rate(1 minute)');
    const tries = kept.ofType('AWS::Lambda::EventInvokeConfig').filter(({ Properties }) => Properties.MaximumRetryAttempts === 0);
    expect(tries).toHaveLength(schedules.length);
    expect(schedules.map(({ Target }) => Target.Arn['Fn::GetAtt'][0].replace(/[0-9A-F]{8}$/, ''))).toEqual([
      'TimerdrainOutbox',
      'TimerresumeWaiting',
    ]);
  });
});

describe('access', () => {
  it('lets nobody sign up, asks for strong passwords, and never sees them', () => {
    expect(kept.one('AWS::Cognito::UserPool').Properties).toMatchObject({
      AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
      UsernameAttributes: ['email'],
      Policies: {
        PasswordPolicy: { MinimumLength: 12, RequireLowercase: true, RequireNumbers: true, RequireSymbols: true, RequireUppercase: true },
      },
      DeletionProtection: 'ACTIVE',
    });
    expect(kept.one('AWS::Cognito::UserPoolClient').Properties).toMatchObject({
      ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
      GenerateSecret: false,
      PreventUserExistenceErrors: 'ENABLED',
      AllowedOAuthFlowsUserPoolClient: false,
    });
  });

  it('gives a role only to who has signed in here', () => {
    const [pool] = [...kept.resources].filter(([, { Type }]) => Type === 'AWS::Cognito::IdentityPool').map(([id]) => id);
    expect(kept.one('AWS::Cognito::IdentityPool').Properties).toMatchObject({
      AllowUnauthenticatedIdentities: false,
      AllowClassicFlow: false,
    });
    expect(Object.keys(kept.one('AWS::Cognito::IdentityPoolRoleAttachment').Properties.Roles)).toEqual(['authenticated']);
    expect(kept.one('AWS::IAM::Role', 'AccessDesktopRole').Properties.AssumeRolePolicyDocument.Statement).toEqual([
      {
        Effect: 'Allow',
        Action: 'sts:AssumeRoleWithWebIdentity',
        Principal: { Federated: 'cognito-identity.amazonaws.com' },
        Condition: {
          StringEquals: { 'cognito-identity.amazonaws.com:aud': { Ref: pool } },
          'ForAnyValue:StringLike': { 'cognito-identity.amazonaws.com:amr': 'authenticated' },
        },
      },
    ]);
  });
});

it('only who has the account’s own keys can call the commands of the owner', () => {
  const commands = idOf(kept, kept.one('AWS::Lambda::Function', 'commands'));
  expect(kept.one('AWS::Lambda::Alias').Properties).toEqual({ FunctionName: { Ref: commands }, FunctionVersion: '$LATEST', Name: 'owner' });
  for (const { Properties } of kept.ofType('AWS::IAM::Role')) expect(JSON.stringify(Properties)).not.toContain(':owner');
});

describe('observability', () => {
  it('raises alarms about dead letters of both kinds, failures, what waits too long, throttling and alerts that cannot be sent', () => {
    const alarms = kept.ofType('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties);
    expect(alarms.map(({ MetricName, Metrics }) => MetricName ?? Metrics[0].Label).sort()).toEqual(
      [
        'ApproximateAgeOfOldestMessage',
        'ApproximateNumberOfMessagesVisible',
        'ApproximateNumberOfMessagesVisible',
        'ExecutionsFailed',
        'throttled',
        'timer errors',
      ].sort(),
    );
    const topic = { Ref: idOf(kept, kept.one('AWS::SNS::Topic', 'AlertsAlarms')) };
    for (const { AlarmActions } of alarms) expect(AlarmActions).toEqual([topic]);
  });

  it('costs what the forecast says while nobody uses it, and nothing where the free tiers are unused', () => {
    const detectors = { labels: true, text: true, faces: true, moderation: true, videoLabels: true };
    const forecast = monthlyCounts(emptyLibrary, { detectors, archiveAfterDays: null, region: 'us-east-1' });
    // CloudWatch bills each metric of an alarm; ten are free.
    const alarmMetrics = kept.ofType('AWS::CloudWatch::Alarm').flatMap(({ Properties: { MetricName, Metrics } }) => {
      return MetricName ? [MetricName] : Metrics.filter((each: object) => 'MetricStat' in each);
    });
    expect(forecast.alarmMetrics).toBe(alarmMetrics.length);
    expect(alarmMetrics.length).toBeLessThanOrEqual(10);
    // Three dashboards are free that have at most 50 metrics each.
    const dashboards = kept.ofType('AWS::CloudWatch::Dashboard');
    expect(forecast.dashboards).toBe(dashboards.length);
    for (const { Properties } of dashboards) {
      const metrics = dashboardOf(Properties).widgets.flatMap(({ properties }) => properties.metrics);
      const named = metrics.filter((metric) => typeof metric[0] === 'string');
      expect(named.length).toBeGreaterThan(20);
      expect(named.length).toBeLessThanOrEqual(50);
    }
    const minutes = 730 * 60;
    const timers = kept.ofType('AWS::Scheduler::Schedule').map(({ Properties }) => Properties.ScheduleExpression);
    expect(new Set(timers)).toEqual(new Set(['rate(1 minute)']));
    expect(forecast.schedules).toBe(minutes * timers.length);
    // Five receives at a time of 20 s each.
    const queues = kept.ofType('AWS::Lambda::EventSourceMapping');
    expect(forecast.sqsRequests).toBe(minutes * 15 * queues.length);
  });

  it('compares the bill for Rekognition with the cap', () => {
    expect(kept.one('AWS::Budgets::Budget', 'ObservabilityCap').Properties.Budget).toMatchObject({
      BudgetLimit: { Amount: 20, Unit: 'USD' },
      TimeUnit: 'MONTHLY',
      CostFilters: { Service: ['Amazon Rekognition'] },
    });
  });

  it('tells what the whole account costs beyond what is expected, with a cap and without one', () => {
    for (const of of [kept, other]) {
      const { Budget, NotificationsWithSubscribers } = of.one('AWS::Budgets::Budget', 'ObservabilitySpend').Properties;
      expect(Budget).toEqual({ BudgetType: 'COST', BudgetLimit: { Amount: of === kept ? 50 : 300, Unit: 'USD' }, TimeUnit: 'MONTHLY' });
      const topic = { Ref: idOf(of, of.one('AWS::SNS::Topic', 'AlertsAlarms')) };
      expect(NotificationsWithSubscribers).toEqual([
        expect.objectContaining({ Subscribers: [{ SubscriptionType: 'SNS', Address: topic }] }),
      ]);
    }
    expect(other.ofType('AWS::Budgets::Budget')).toHaveLength(1);
  });

  it('has a dashboard of what is asked first: what waits and how long, failures, refusals, money, run times', () => {
    const { widgets } = dashboardOf(kept.one('AWS::CloudWatch::Dashboard').Properties);
    const shown = JSON.stringify(widgets);
    const metrics = ['ExecutionsStarted', 'ExecutionsFailed', 'ExecutionTime', 'ApproximateAgeOfOldestMessage', 'ThrottledCount', 'Errors'];
    for (const metric of metrics) expect(shown).toContain(`"${metric}"`);
    expect(shown.match(/"ApproximateNumberOfMessagesVisible"/g)).toHaveLength(3);
    // By the prices of the region: a million images cost as much in USD as one does in millionths.
    expect(shown).toContain('RUNNING_SUM((FILL(m0, 0) + FILL(m1, 0) + FILL(m2, 0) + FILL(m3, 0)) * 0.001)');
  });
});

/** A dashboard's body with names in place of what CloudFormation fills in. */
function dashboardOf({ DashboardBody }: Resource['Properties']): { widgets: { properties: { metrics: unknown[][] } }[] } {
  const [separator, parts] = DashboardBody['Fn::Join'];
  return JSON.parse(parts.map((part: unknown) => (typeof part === 'string' ? part : 'reference')).join(separator));
}

describe('removal', () => {
  // When a first deployment fails nothing of it stays but what is protected from deletion by itself, at which taking it back would fail.
  const holding: Readonly<Record<string, string>> = {
    'AWS::S3::Bucket': 'RetainExceptOnCreate',
    'AWS::Cognito::IdentityPool': 'RetainExceptOnCreate',
    'AWS::DynamoDB::GlobalTable': 'Retain',
    'AWS::Cognito::UserPool': 'Retain',
  };

  it('keeps what people would miss, or removes everything, as the settings say', () => {
    for (const of of [kept, other]) {
      for (const { Type, DeletionPolicy = 'Delete', UpdateReplacePolicy = 'Delete' } of of.resources.values()) {
        const policy = (of === kept && holding[Type]) || 'Delete';
        expect([Type, DeletionPolicy, UpdateReplacePolicy]).toEqual([Type, policy, policy === 'Delete' ? 'Delete' : 'Retain']);
      }
      expect(of.stack.terminationProtection).toBe(of === kept);
    }
  });
});

it('names the parts as the connection file does', () => {
  expect(Object.keys(kept.template.toJSON()['Outputs']).sort()).toEqual(
    ['commandsFunction', 'identityPool', 'inputBucket', 'outputBucket', 'region', 'table', 'userPool', 'userPoolClient'].sort(),
  );
});

it('costs nothing while nobody uses it but what the comments say: no resource that is paid by the hour', () => {
  const free = /^AWS::(S3|DynamoDB|SQS|SNS|Logs|IAM|Lambda|StepFunctions|Events|Scheduler|Cognito|CloudTrail|CloudWatch|Budgets)::/;
  for (const { Type } of [...kept.resources.values(), ...other.resources.values()]) expect(Type).toMatch(free);
});
