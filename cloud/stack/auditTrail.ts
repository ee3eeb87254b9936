import { Stack } from 'aws-cdk-lib';
import { ReadWriteType, Trail } from 'aws-cdk-lib/aws-cloudtrail';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Storage } from './storage.ts';

/** CloudTrail's record of each access to an object: who, when, from where. Management events are left to the account's own trail. */
export class AuditTrail extends Construct {
  constructor(scope: Construct, id: string, { input, output }: Storage, logs: Bucket) {
    super(scope, id);
    const trail = new Trail(this, 'Trail', {
      bucket: logs,
      s3KeyPrefix: 'trail',
      enableFileValidation: true,
      isMultiRegionTrail: false,
      includeGlobalServiceEvents: false,
    });
    // The CDK lets CloudTrail in whoever it works for.
    logs.addToResourcePolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        principals: [new ServicePrincipal('cloudtrail.amazonaws.com')],
        actions: ['s3:*'],
        resources: [logs.bucketArn, logs.arnForObjects('*')],
        conditions: {
          ArnNotLike: { 'aws:SourceArn': Stack.of(this).formatArn({ service: 'cloudtrail', resource: 'trail', resourceName: '*' }) },
        },
      }),
    );
    trail.addS3EventSelector([{ bucket: input }, { bucket: output }], { readWriteType: ReadWriteType.ALL, includeManagementEvents: false });
  }
}
