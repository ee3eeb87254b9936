import { Duration } from 'aws-cdk-lib';
import { type EventPattern, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction, SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { RecursiveLoop } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Construct } from 'constructs';
import { inboxPrefix } from '../../shared/keys.ts';
import { type Backend, createFunction } from './createFunction.ts';
import type { Queues } from './queues.ts';

/**
 * From the inbox into the state machine: S3 → EventBridge → inbox queue → dispatcher; and what becomes of an execution that ended badly. An
 * event that cannot be handed on goes to the dead letters at each of these hops.
 */
export class Intake extends Construct {
  constructor(scope: Construct, id: string, backend: Backend, { inbox, deadLetters }: Queues) {
    super(scope, id);
    const { inputBucket, stateMachineArn } = backend.names;

    // It puts a message back into its own queue until its turn has come. Lambda would take that for a mistake after some 16 rounds, which are 2.7 hours, and
    // move the rest to the dead letters (https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html).
    const dispatch = createFunction(this, 'dispatch', backend, { recursiveLoop: RecursiveLoop.ALLOW });
    // Two batches of ten at a time start some 100 executions a second: less than StartExecution allows in any region (150).
    dispatch.addEventSource(new SqsEventSource(inbox, { batchSize: 10, maxConcurrency: 2, reportBatchItemFailures: true }));
    this.on('ObjectCreated', objectCreated(inputBucket)).addTarget(new SqsQueue(inbox, { deadLetterQueue: deadLetters }));

    // What the function itself fails at, three times, also becomes a dead letter.
    const executionEnded = createFunction(this, 'executionEnded', backend, {
      deadLetterQueue: deadLetters,
      maxEventAge: Duration.hours(6),
    });
    this.on('ExecutionEnded', executionFailed(stateMachineArn)).addTarget(
      new LambdaFunction(executionEnded, { deadLetterQueue: deadLetters }),
    );
  }

  private on(id: string, eventPattern: EventPattern): Rule {
    return new Rule(this, id, { eventPattern });
  }
}

const objectCreated = (bucket: string): EventPattern => ({
  source: ['aws.s3'],
  detailType: ['Object Created'],
  detail: { bucket: { name: [bucket] }, object: { key: [{ prefix: inboxPrefix }] } },
});

const executionFailed = (stateMachineArn: string): EventPattern => ({
  source: ['aws.states'],
  detailType: ['Step Functions Execution Status Change'],
  detail: { stateMachineArn: [stateMachineArn], status: ['FAILED', 'TIMED_OUT', 'ABORTED'] },
});
