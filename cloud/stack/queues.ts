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
    const { queue, deadLetters } = createQueue(this, 'Inbox', functions.dispatch.seconds, maxReceiveCount);
    this.inbox = queue;
    this.deadLetters = deadLetters;
  }
}

/**
 * A queue that a function takes messages from, and a second one for what it could make nothing of.
 * @param seconds of the function's timeout
 * @param maxReceiveCount so many tries
 */
export function createQueue(scope: Construct, id: string, seconds: number, maxReceiveCount: number): { queue: Queue; deadLetters: Queue } {
  const common = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, retentionPeriod: Duration.days(14) };
  const deadLetters = new Queue(scope, 'DeadLetters', common);
  // AWS's advice for functions: six times their timeout.
  const visibilityTimeout = Duration.seconds(6 * seconds);
  return {
    queue: new Queue(scope, id, { ...common, visibilityTimeout, deadLetterQueue: { queue: deadLetters, maxReceiveCount } }),
    deadLetters,
  };
}
