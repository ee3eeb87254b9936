import { Duration, Validations } from 'aws-cdk-lib';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  CfnBucket,
  type LifecycleRule,
  StorageClass,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { abandonedUploadDays } from '../../shared/keys.ts';
import { removalPolicyOf } from './removal.ts';
import type { Settings } from './settings.ts';

/**
 * The two private buckets. Encryption is S3's own (SSE-S3): it costs nothing. A KMS key of one's own would cost 1 USD a month and a call
 * for each object, and protects against nobody who may read the bucket.
 */
export class Storage extends Construct {
  /** Originals; see the layout of keys in shared/keys.ts. */
  readonly input: Bucket;
  /**
   * Renditions and what the detectors answered: all of it can be made again, at a price. None of it is temporary, so nothing expires: thumb, preview, safe share and grids are
   * shown and shared, raw/ spares paying for an answer twice, analysis.jpg lets a photo be analysed anew whose original is in Glacier, and what is in the making is an
   * upload in parts, which is aborted. A video's frame is never stored as such.
   */
  readonly output: Bucket;
  /** Access logs and the audit trail; absent when neither is wanted. */
  readonly logs: Bucket | undefined;

  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id);
    const removalPolicy = removalPolicyOf(settings);
    if (settings.accessLogs || settings.auditTrail) this.logs = createLogs(this, settings);
    const common = { ...secure, removalPolicy };
    const logged = (prefix: string) =>
      settings.accessLogs && this.logs ? { serverAccessLogsBucket: this.logs, serverAccessLogsPrefix: `access/${prefix}/` } : {};

    this.input = new Bucket(this, 'Input', {
      ...common,
      ...logged('input'),
      versioned: true,
      lifecycleRules: [abandonedUploads, movedOriginals, overwrittenOriginals, ...archive(settings)],
    });
    sendEvents(this.input);
    this.output = new Bucket(this, 'Output', { ...common, ...logged('output'), lifecycleRules: [abandonedUploads] });

    if (settings.accessLogs) return;
    const reason = 'Access logs are turned off in the settings (accessLogs).';
    for (const bucket of [this.input, this.output]) Validations.of(bucket).acknowledge({ id: 'AwsSolutions-S1', reason });
  }
}

const secure = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  encryption: BucketEncryption.S3_MANAGED,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
} satisfies BucketProps;

/** A desktop resumes an upload within days; what it has forgotten must not be paid for ever. */
const abandonedUploads: LifecycleRule = {
  id: 'abandoned-uploads',
  abortIncompleteMultipartUploadAfter: Duration.days(abandonedUploadDays),
};

/** The pipeline deletes an inbox object only when its copy is in place, so that a day is enough to notice a mistake. */
const movedOriginals: LifecycleRule = {
  id: 'moved-originals',
  prefix: 'inbox/',
  noncurrentVersionExpiration: Duration.days(1),
  expiredObjectDeleteMarker: true,
};

/** Nothing deletes or overwrites these by design; who does so by hand has a month to take it back. */
const overwrittenOriginals: LifecycleRule = { id: 'overwritten-originals', noncurrentVersionExpiration: Duration.days(30) };

/** Files under 128 KB stay where they are: S3's default, as Glacier's overhead of 40 KB an object would cost more. */
const archive = ({ archiveAfterDays }: Settings): LifecycleRule[] =>
  archiveAfterDays === null
    ? []
    : [
        {
          id: 'archive',
          prefix: 'analyzed/',
          transitions: [{ storageClass: StorageClass.GLACIER, transitionAfter: Duration.days(archiveAfterDays) }],
        },
      ];

/** Through the bucket's own property: `eventBridgeEnabled` would add a function of CDK's that may change every bucket's notifications. */
function sendEvents(bucket: Bucket): void {
  const { defaultChild } = bucket.node;
  if (!(defaultChild instanceof CfnBucket)) throw new TypeError('a bucket without its CloudFormation resource');
  defaultChild.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
}

function createLogs(scope: Construct, { logRetentionDays, ...settings }: Settings): Bucket {
  const expiry = { id: 'old-logs', expiration: Duration.days(logRetentionDays) };
  const removalPolicy = removalPolicyOf(settings);
  const logs = new Bucket(scope, 'Logs', { ...secure, removalPolicy, lifecycleRules: [expiry, abandonedUploads] });
  Validations.of(logs).acknowledge({ id: 'AwsSolutions-S1', reason: 'It holds the access logs: logging access to them would never end.' });
  return logs;
}
