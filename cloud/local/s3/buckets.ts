import * as v from 'valibot';
import { ServiceError } from '../gateway/service.ts';
import { type Call, type Store, sendEmpty, sendXml, xmlTime } from './call.ts';
import { deleteParts, requireBucket } from './metadata.ts';
import { parseXml } from './readXml.ts';

interface BucketRow {
  readonly name: string;
  readonly createdAt: number;
}

export async function listBuckets(call: Call): Promise<void> {
  const prefix = call.request.query.get('prefix') ?? '';
  const rows = call.store.database.all<BucketRow>('SELECT name, created_at AS createdAt FROM bucket ORDER BY name');
  const buckets = rows.filter(({ name }) => name.startsWith(prefix));
  sendXml(call, 'ListAllMyBucketsResult', {
    Owner: { ID: '000000000000' },
    Buckets: {
      Bucket: buckets.map(({ name, createdAt }) => ({ Name: name, CreationDate: xmlTime(createdAt), BucketRegion: call.store.region })),
    },
  });
}

const bucketConfiguration = v.object({
  CreateBucketConfiguration: v.union([v.object({ LocationConstraint: v.optional(v.string()) }), v.string()]),
});

export async function createBucket(call: Call): Promise<void> {
  const body = await call.request.readBody(64 << 10);
  if (body.length > 0) await checkLocation(body.toString(), call.store.region);
  await addBucket(call.store, call.bucket);
  call.response.setHeader('location', `/${call.bucket}`);
  sendEmpty(call, 200);
}

async function checkLocation(xml: string, region: string): Promise<void> {
  const { CreateBucketConfiguration: configuration } = await parseXml(xml, bucketConfiguration);
  const location = typeof configuration === 'string' ? undefined : configuration.LocationConstraint;
  if (location !== undefined && location !== region) {
    throw new ServiceError('IllegalLocationConstraintException', `The local cloud is the region ${region}, it has no ${location}.`);
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const bucketName = /^(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * Makes a bucket; does nothing when it exists, as S3 in us-east-1.
 * @throws ServiceError when it cannot be called so
 */
export async function addBucket({ database, clock }: Store, name: string): Promise<void> {
  if (!bucketName.test(name)) throw new ServiceError('InvalidBucketName', 'The specified bucket is not valid.');
  await database.commit(() =>
    database.run('INSERT INTO bucket (name, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING', name, clock.now()),
  );
}

export async function headBucket(call: Call): Promise<void> {
  requireBucket(call.store.database, call.bucket);
  call.response.setHeader('x-amz-bucket-region', call.store.region);
  sendEmpty(call, 200);
}

/** us-east-1 is told by an empty answer. */
export async function getBucketLocation(call: Call): Promise<void> {
  requireBucket(call.store.database, call.bucket);
  sendXml(call, 'LocationConstraint', call.store.region === 'us-east-1' ? '' : call.store.region);
}

/** Versioning was never switched on, which is told by an empty answer too. */
export async function getBucketVersioning(call: Call): Promise<void> {
  requireBucket(call.store.database, call.bucket);
  sendXml(call, 'VersioningConfiguration', '');
}

/** Deletes a bucket without objects, and with it the uploads that were never completed. */
export async function deleteBucket(call: Call): Promise<void> {
  const { database, blobs } = call.store;
  const dead = await database.commit(() => {
    requireBucket(database, call.bucket);
    if (database.get('SELECT 1 FROM object WHERE bucket = ? LIMIT 1', call.bucket) !== undefined) {
      throw new ServiceError('BucketNotEmpty', 'The bucket you tried to delete is not empty', 409);
    }
    const uploads = database.all<{ id: string }>('DELETE FROM upload WHERE bucket = ? RETURNING id', call.bucket);
    database.run('DELETE FROM bucket WHERE name = ?', call.bucket);
    return uploads.flatMap(({ id }) => deleteParts(database, id));
  });
  await blobs.collect(dead);
  sendEmpty(call, 204);
}
