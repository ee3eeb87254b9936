import { Duration } from 'aws-cdk-lib';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { type Backend, createFunction } from './createFunction.ts';
import { invoke } from './grants.ts';
import { createRole } from './role.ts';

/** Lambda would try a run that fails twice more by itself; the alarm would take that for three failures. */
const onceEachMinute = { retryAttempts: 0, maxEventAge: Duration.minutes(1) };

/**
 * What happens each minute: digests and alerts that wait are sent, and photos that wait for budget are taken up. A run that fails is made up
 * for by the next. Idle both together cost some 0.18 USD a month where the free tiers are used up, half of it for 87,600 calls by the Scheduler.
 */
export class Timer extends Construct {
  readonly functions: readonly NodejsFunction[];

  constructor(scope: Construct, id: string, backend: Backend) {
    super(scope, id);
    this.functions = (['drainOutbox', 'resumeWaiting'] as const).map((name) => createFunction(this, name, backend, onceEachMinute));
    const arns = this.functions.map(({ functionArn }) => functionArn);
    const { roleArn } = createRole(this, 'Role', 'scheduler', [invoke(arns)]);
    for (const { node, functionArn } of this.functions) {
      new CfnSchedule(this, `${node.id}EachMinute`, {
        scheduleExpression: 'rate(1 minute)',
        flexibleTimeWindow: { mode: 'OFF' },
        target: { arn: functionArn, roleArn, retryPolicy: { maximumRetryAttempts: 0 } },
      });
    }
  }
}
