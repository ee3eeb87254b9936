import { ReadWriteType, Trail } from 'aws-cdk-lib/aws-cloudtrail';
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
    trail.addS3EventSelector([{ bucket: input }, { bucket: output }], { readWriteType: ReadWriteType.ALL, includeManagementEvents: false });
  }
}
