import { Duration } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { functions } from './functions.ts';

/** So many failed dispatches are three quarters of an hour. */
const maxReceiveCount = 15;

/** The inbox queue, and the dead letters of everything that waits or was sent on: what is about a photo can be redriven from the app. */
export class Queues extends Construct {
  readonly inbox: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const common = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, retentionPeriod: Duration.days(14) };
    this.deadLetters = new Queue(this, 'DeadLetters', common);
    this.inbox = new Queue(this, 'Inbox', {
      ...common,
      // AWS's advice for functions: six times their timeout.
      visibilityTimeout: Duration.seconds(6 * functions.dispatch.seconds),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount },
    });
  }
}
