import type { AccessRequest } from '../../access/evaluatePolicy.ts';
import type { RequestContext } from '../../access/pattern.ts';
import type { SignedRequest } from '../gateway/service.ts';
import { bucketArn } from '../names.ts';
import { readSource } from './copy.ts';
import { type OperationName, readTarget } from './route.ts';

/**
 * What each operation needs to be allowed, beside what its headers ask for:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
const actions: Readonly<Record<OperationName, string>> = {
  'service GET': 's3:ListAllMyBuckets',
  'bucket PUT': 's3:CreateBucket',
  'bucket HEAD': 's3:ListBucket',
  'bucket DELETE': 's3:DeleteBucket',
  'bucket GET': 's3:ListBucket',
  'bucket GET location': 's3:GetBucketLocation',
  'bucket GET versioning': 's3:GetBucketVersioning',
  'bucket GET uploads': 's3:ListBucketMultipartUploads',
  'bucket POST delete': 's3:DeleteObject',
  'object PUT': 's3:PutObject',
  'object GET': 's3:GetObject',
  'object HEAD': 's3:GetObject',
  'object DELETE': 's3:DeleteObject',
  'object GET tagging': 's3:GetObjectTagging',
  'object PUT tagging': 's3:PutObjectTagging',
  'object DELETE tagging': 's3:DeleteObjectTagging',
  'object POST restore': 's3:RestoreObject',
  'object POST uploads': 's3:PutObject',
  'object GET uploadId': 's3:ListMultipartUploadParts',
  'object PUT uploadId': 's3:PutObject',
  'object POST uploadId': 's3:PutObject',
  'object DELETE uploadId': 's3:AbortMultipartUpload',
};

/** Those that make the object, and so may replace one. */
const creations: ReadonlySet<OperationName> = new Set(['object PUT', 'object POST uploadId']);

/**
 * All that a request to S3 needs to be allowed.
 * @throws ServiceError when it asks for what is not served here
 */
export function s3Access(request: SignedRequest): AccessRequest[] {
  const { headers } = request;
  const { name, bucket, key } = readTarget(request);
  const resource = key === '' ? bucketResource(name, bucket) : `${bucketArn(bucket)}/${key}`;
  const context = contextOf(request, name);
  const needed = [{ action: actions[name], resource, context }];
  if (actions[name] === 's3:PutObject') {
    const source = headers['x-amz-copy-source'];
    if (source !== undefined) needed.push({ action: 's3:GetObject', resource: objectArn(readSource(String(source))), context: {} });
    if (headers['x-amz-tagging'] !== undefined) needed.push({ action: 's3:PutObjectTagging', resource, context: {} });
    const grants = Object.keys(headers).some((header) => header === 'x-amz-acl' || header.startsWith('x-amz-grant-'));
    if (grants) needed.push({ action: 's3:PutObjectAcl', resource, context: {} });
  }
  return needed;
}

function bucketResource(name: OperationName, bucket: string): string {
  if (name === 'service GET') return '*';
  // Which objects are to be deleted is in the body: nobody is let through who may not delete all of them.
  return name === 'bucket POST delete' ? `${bucketArn(bucket)}/*` : bucketArn(bucket);
}

const objectArn = ({ bucket, key }: { bucket: string; key: string }) => `${bucketArn(bucket)}/${key}`;

function contextOf({ headers, query }: SignedRequest, name: OperationName): RequestContext {
  const context: Record<string, string> = {};
  const add = (key: string, value: unknown) => {
    if (value !== undefined) context[key] = String(value);
  };
  if (name === 'bucket GET') {
    add('s3:prefix', query.get('prefix'));
    add('s3:delimiter', query.get('delimiter'));
  }
  if (actions[name] === 's3:PutObject') {
    add('s3:ObjectCreationOperation', creations.has(name));
    add('s3:if-none-match', headers['if-none-match']);
    add('s3:if-match', headers['if-match']);
  }
  return context;
}
