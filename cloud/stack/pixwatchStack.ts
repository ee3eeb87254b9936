import { ArnFormat, CfnOutput, Stack } from 'aws-cdk-lib';
import { CfnAlias } from 'aws-cdk-lib/aws-lambda';
import { S3_SERVER_ACCESS_LOGS_USE_BUCKET_POLICY } from 'aws-cdk-lib/cx-api';
import type { Construct } from 'constructs';
import { owner } from '../../shared/commands.ts';
import { Access } from './access.ts';
import { Alerts } from './alerts.ts';
import { AuditTrail } from './auditTrail.ts';
import { type Backend, createFunction } from './createFunction.ts';
import { IndexTable } from './indexTable.ts';
import { Intake } from './intake.ts';
import { Observability } from './observability.ts';
import { Pipeline, stateMachineNameOf } from './pipeline.ts';
import { Queues } from './queues.ts';
import type { Deployed } from './quotas.ts';
import { Storage } from './storage.ts';
import { Timer } from './timer.ts';
import { Video } from './video.ts';

/** The parts that hold something. */
interface Stores {
  readonly storage: Storage;
  readonly index: IndexTable;
  readonly queues: Queues;
  readonly alerts: Alerts;
  readonly video: Video;
}

/** The whole backend in one account and region: on AWS what cloud/local is on a computer. */
export class PixwatchStack extends Stack {
  constructor(scope: Construct, settings: Deployed) {
    super(scope, settings.name, {
      description: 'Pixwatch: looks at photos as they arrive',
      env: { region: settings.region },
      terminationProtection: settings.removalPolicy === 'keep',
    });
    // S3 writes access logs by the bucket's policy: access control lists stay off.
    this.node.setContext(S3_SERVER_ACCESS_LOGS_USE_BUCKET_POLICY, true);
    const stores = {
      storage: new Storage(this, 'Storage', settings),
      index: new IndexTable(this, 'Index', settings),
      queues: new Queues(this, 'Queues'),
      alerts: new Alerts(this, 'Alerts', settings),
      video: new Video(this, 'Video'),
    };
    const backend = this.backendOf(settings, stores);
    const pipeline = new Pipeline(this, 'Pipeline', backend);
    new Intake(this, 'Intake', backend, stores.queues);
    stores.video.takeUp(backend);
    const timer = new Timer(this, 'Timer', backend);
    const commands = createFunction(this, 'commands', backend);
    // Not a part of the connection file: a desktop that has the account's own keys knows it (shared/commands.ts).
    new CfnAlias(this, 'commandsOfOwner', { functionName: commands.functionName, functionVersion: '$LATEST', name: owner });
    const { inputBucket, outputBucket, table } = backend.resources;
    const access = new Access(this, 'Access', settings, {
      inputBucketArn: inputBucket,
      outputBucketArn: outputBucket,
      tableArn: table,
      commandsFunctionArn: commands.functionArn,
    });

    const { storage, queues, alerts, video } = stores;
    if (settings.auditTrail && storage.logs) new AuditTrail(this, 'AuditTrail', storage, storage.logs);
    new Observability(this, 'Observability', settings, {
      queues,
      video,
      stateMachine: pipeline.stateMachine,
      steps: pipeline.functions,
      timed: timer.functions,
      alarms: alerts.alarms,
    });

    // What the connection file says (shared/connection.ts), by the same names.
    this.output({
      region: this.region,
      inputBucket: storage.input.bucketName,
      outputBucket: storage.output.bucketName,
      table: stores.index.table.tableName,
      commandsFunction: commands.functionName,
      userPool: access.userPool.userPoolId,
      userPoolClient: access.client.userPoolClientId,
      identityPool: access.identityPool.ref,
    });
  }

  /** What the functions are told of all this, and what they can be let at. */
  private backendOf(settings: Deployed, { storage, index, queues, alerts, video }: Stores): Backend {
    const states = (resource: string) =>
      this.formatArn({ service: 'states', resource, resourceName: stateMachineNameOf(settings), arnFormat: ArnFormat.COLON_RESOURCE_NAME });
    const stateMachine = states('stateMachine');
    const { input, output } = storage;
    return {
      settings,
      names: {
        inputBucket: input.bucketName,
        outputBucket: output.bucketName,
        table: index.table.tableName,
        topicArn: alerts.alerts.topicArn,
        alarmsTopicArn: alerts.alarms.topicArn,
        stateMachineArn: stateMachine,
        inboxQueueUrl: queues.inbox.queueUrl,
        deadLetterQueueUrl: queues.deadLetters.queueUrl,
        videoTopicArn: video.topic.topicArn,
        videoRoleArn: video.role.roleArn,
      },
      resources: {
        inputBucket: input.bucketArn,
        outputBucket: output.bucketArn,
        table: index.table.tableArn,
        alertsTopic: alerts.alerts.topicArn,
        alarmsTopic: alerts.alarms.topicArn,
        inboxQueue: queues.inbox.queueArn,
        deadLetterQueue: queues.deadLetters.queueArn,
        videoAnswersQueue: video.answers.queueArn,
        videoRole: video.role.roleArn,
        stateMachine,
        executions: `${states('execution')}:*`,
      },
    };
  }

  private output(values: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(values)) new CfnOutput(this, name, { value });
  }
}
