import { isDiskFull, messageOf } from '../../../shared/errors.ts';
import { type Service, ServiceError, type SignedRequest } from '../gateway/service.ts';
import * as buckets from './buckets.ts';
import type { Call, Store } from './call.ts';
import { completeUpload } from './completeUpload.ts';
import { copyObject } from './copy.ts';
import { listObjectsV1, listObjectsV2 } from './list.ts';
import * as objects from './objects.ts';
import { restoreObject } from './restore.ts';
import * as tagging from './tagging.ts';
import { uploadPart, uploadPartCopy } from './uploadPart.ts';
import * as uploads from './uploads.ts';

type Operation = (call: Call) => Promise<void>;

/** By what the path names, the method and the subresource. */
const operations = {
  'service GET': buckets.listBuckets,

  'bucket PUT': buckets.createBucket,
  'bucket HEAD': buckets.headBucket,
  'bucket DELETE': buckets.deleteBucket,
  'bucket GET': (call) => (call.request.query.get('list-type') === '2' ? listObjectsV2(call) : listObjectsV1(call)),
  'bucket GET location': buckets.getBucketLocation,
  'bucket GET versioning': buckets.getBucketVersioning,
  'bucket GET uploads': uploads.listUploads,
  'bucket POST delete': objects.deleteObjects,

  'object PUT': (call) => ('x-amz-copy-source' in call.request.headers ? copyObject(call) : objects.putObject(call)),
  'object GET': objects.getObject,
  'object HEAD': objects.getObject,
  'object DELETE': objects.deleteObject,
  'object GET tagging': tagging.getTagging,
  'object PUT tagging': tagging.putTagging,
  'object DELETE tagging': tagging.deleteTagging,
  'object POST restore': restoreObject,
  'object POST uploads': uploads.createUpload,
  'object GET uploadId': uploads.listParts,
  'object PUT uploadId': (call) => ('x-amz-copy-source' in call.request.headers ? uploadPartCopy(call) : uploadPart(call)),
  'object POST uploadId': completeUpload,
  'object DELETE uploadId': uploads.abortUpload,
} satisfies Readonly<Record<string, Operation>>;
export type OperationName = keyof typeof operations;

/** Parameters that make a request another operation. One that is not served must not be taken for the plain request. */
const subresources = new Set(
  `abac accelerate acl analytics attributes cors delete encryption intelligent-tiering inventory legal-hold lifecycle location logging
  metadataConfiguration metadataInventoryTable metadataJournalTable metadataTable metrics notification object-lock ownershipControls policy
  policyStatus publicAccessBlock renameObject replication requestPayment restore retention select session tagging torrent uploadId uploads
  versioning versions website`.split(/\s+/),
);

/** S3's REST protocol over a store: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html */
export function s3Service(store: Store): Service {
  return async (request, response) => {
    const { name, bucket, key } = readTarget(request);
    try {
      await (operations[name] as Operation)({ store, request, response, bucket, key });
    } catch (thrown) {
      throw isDiskFull(thrown) ? diskFull(thrown) : thrown;
    }
  };
}

/** The first segment is the bucket, all the rest the key, whatever it looks like. */
function readPath(rawPath: string): { bucket: string; key: string } {
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/.exec(rawPath) ?? [];
  const decoded = { bucket: decode(bucket), key: decode(key) };
  if (Buffer.byteLength(decoded.key) > 1024) throw new ServiceError('KeyTooLongError', 'Your key is too long');
  return decoded;
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch (cause) {
    throw new ServiceError('InvalidURI', `Couldn't parse the specified URI: ${messageOf(cause)}`, 400, { cause });
  }
}

/** What a request asks for, of which bucket and key; these are empty when the path has none. */
export interface S3Target {
  readonly name: OperationName;
  readonly bucket: string;
  readonly key: string;
}

/** @throws ServiceError when it asks for what is not served here */
export function readTarget({ method, query, rawPath }: SignedRequest): S3Target {
  const { bucket, key } = readPath(rawPath);
  const level = bucket === '' ? 'service' : key === '' ? 'bucket' : 'object';
  const subresource = [...query.keys()].find((name) => subresources.has(name));
  const name = [level, method, subresource].filter((part) => part !== undefined).join(' ');
  if (!isServed(name)) throw new ServiceError('NotImplemented', `The local cloud does not implement this operation of S3: ${name}`, 501);
  if (query.has('versionId') && query.get('versionId') !== 'null') {
    throw new ServiceError('NoSuchVersion', 'The local cloud keeps no versions of objects.', 404);
  }
  return { name, bucket, key };
}

const isServed = (name: string): name is OperationName => Object.hasOwn(operations, name);

const diskFull = (cause: unknown) =>
  new ServiceError('InsufficientStorage', "The disk that holds the local cloud's data is full. Free some space.", 507, { cause });
