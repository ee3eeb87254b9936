import type { IRole } from 'aws-cdk-lib/aws-iam';
import { Alias } from 'aws-cdk-lib/aws-kms';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { type Backend, createFunction } from './createFunction.ts';
import { functions } from './functions.ts';
import { createQueue } from './queues.ts';
import { createRole } from './role.ts';

/** So many failures are half an hour; the execution that waits for the answer asks again by itself later. */
const maxReceiveCount = 5;

/** How Rekognition says that it is done with a video: Rekognition → SNS → SQS → videoLabelsDone, which wakes the execution that waits. */
export class Video extends Construct {
  /** Where Rekognition publishes, and as whom. */
  readonly topic: Topic;
  readonly role: IRole;
  readonly answers: Queue;
  /** Answers that nothing could be made of. They are Rekognition's own messages, so that SQS's redrive puts them back as they are. */
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    // SNS's own key is free, and lets in whoever of this account may publish.
    this.topic = new Topic(this, 'Done', { enforceSSL: true, masterKey: Alias.fromAliasName(this, 'SnsKey', 'alias/aws/sns') });
    this.role = createRole(this, 'Role', 'rekognition', [{ actions: ['sns:Publish'], resources: [this.topic.topicArn] }]);
    const { queue, deadLetters } = createQueue(this, 'Answers', functions.videoLabelsDone.seconds, maxReceiveCount);
    this.answers = queue;
    this.deadLetters = deadLetters;
    this.topic.addSubscription(new SqsSubscription(this.answers, { deadLetterQueue: this.deadLetters }));
  }

  /** Makes the function that takes the answers up. */
  takeUp(backend: Backend): void {
    const done = createFunction(this, 'videoLabelsDone', backend);
    // One answer may have a hundred pages. Two at a time ask for fewer than the 5 a second that GetLabelDetection allows in any region.
    done.addEventSource(new SqsEventSource(this.answers, { batchSize: 1, maxConcurrency: 2, reportBatchItemFailures: true }));
  }
}
