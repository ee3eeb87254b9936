import { AttributeType, Billing, ProjectionType, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { changesIndex } from '../../shared/keys.ts';
import { protectedRemovalPolicyOf } from './removal.ts';
import type { Settings } from './settings.ts';

/** The one table: records, rules, outbox, subscriptions. On demand, so that it costs nothing while nobody uses it. */
export class IndexTable extends Construct {
  readonly table: TableV2;

  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id);
    this.table = new TableV2(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      globalSecondaryIndexes: [
        {
          indexName: changesIndex,
          partitionKey: { name: 'pk', type: AttributeType.STRING },
          sortKey: { name: 'changedAt', type: AttributeType.STRING },
          projectionType: ProjectionType.ALL,
        },
      ],
      // Jobs on videos of which Rekognition remembers nothing any more (cloud/steps/videoJobs.ts); nothing else has it.
      timeToLiveAttribute: 'expiresAt',
      billing: Billing.onDemand(),
      // With a key that DynamoDB owns: free, and nothing to lose.
      encryption: TableEncryptionV2.dynamoOwnedKey(),
      // To any second of the last 35 days; 0.20 USD per GB and month, and an index of 100,000 photos has some 0.3 GB.
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: settings.removalPolicy === 'keep',
      removalPolicy: protectedRemovalPolicyOf(settings),
    });
  }
}
