import type { RequestContext } from '../../../cloud/access/pattern.ts';
import {
  analyzedKey,
  assetItem,
  inboxKey,
  labelsKey,
  type OriginalRef,
  rejectedKey,
  renditionKey,
  rulesPartition,
} from '../../../shared/keys.ts';
import { assetId, libraryId } from '../../../shared/model/asset.ts';
import { parse } from '../../../shared/parse.ts';

/** Who may do what, as rows: judged on the policy's document, and sent to the local cloud as requests where they can be. */

export const me = parse(libraryId, 'us-east-1:0a1b2c3d-0000-4000-8000-000000000001', 'library');
export const other = parse(libraryId, 'us-east-1:0a1b2c3d-0000-4000-8000-000000000002', 'library');

export const resources = {
  inputBucketArn: 'arn:aws:s3:::pixwatch-input',
  outputBucketArn: 'arn:aws:s3:::pixwatch-output',
  tableArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/pixwatch',
  commandsFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:pixwatch-commands',
};
const { inputBucketArn, outputBucketArn, tableArn, commandsFunctionArn } = resources;

const asset = parse(assetId, 'ab'.repeat(32), 'asset');
const ref = (library: OriginalRef['library']): OriginalRef => ({ library, asset, ext: 'jpg' });
const input = (key: string) => `${inputBucketArn}/${key}`;
const output = (key: string) => `${outputBucketArn}/${key}`;
const [myInbox, othersInbox] = [input(inboxKey(ref(me))), input(inboxKey(ref(other)))];

export interface AccessRow {
  readonly action: string;
  readonly resource: string;
  readonly context: RequestContext;
}

const once = { 's3:if-none-match': '*', 's3:ObjectCreationOperation': 'true' };
const overwrite = { 's3:ObjectCreationOperation': 'true' };
const ofPart = { 's3:ObjectCreationOperation': 'false' };
const keys = (...partitions: string[]) => ({ 'dynamodb:LeadingKeys': partitions });
const prefix = (text: string) => ({ 's3:prefix': text });
const row = (action: string, resource: string, context: RequestContext = {}): AccessRow => ({ action, resource, context });
const mine = assetItem(me, asset).pk;

export const allowed: Record<string, AccessRow> = {
  'an original into the own inbox, once': row('s3:PutObject', myInbox, once),
  'parts into the own inbox': row('s3:PutObject', myInbox, ofPart),
  'an upload given up': row('s3:AbortMultipartUpload', myInbox),
  'the parts that arrived': row('s3:ListMultipartUploadParts', myInbox),
  'an own original that waits': row('s3:GetObject', myInbox),
  'an own original that matched': row('s3:GetObject', input(analyzedKey(ref(me), 'success'))),
  'an own original that did not match': row('s3:GetObject', input(analyzedKey(ref(me), 'failure'))),
  'an own original that was rejected': row('s3:GetObject', input(rejectedKey(ref(me)))),
  'an own rendition': row('s3:GetObject', output(renditionKey(me, asset, 'thumb'))),
  'the own labels.json': row('s3:GetObject', output(labelsKey(me, asset))),
  'whether an own key is there': row('s3:ListBucket', inputBucketArn, prefix(inboxKey(ref(me)))),
  'the list of the own inbox': row('s3:ListBucket', inputBucketArn, prefix(`inbox/${me}/`)),
  'the list of the own renditions': row('s3:ListBucket', outputBucketArn, prefix(`${me}/`)),
  'an own record': row('dynamodb:GetItem', tableArn, keys(mine)),
  'several own records': row('dynamodb:BatchGetItem', tableArn, keys(mine, mine)),
  'the own partition': row('dynamodb:Query', tableArn, keys(mine)),
  'the own changes': row('dynamodb:Query', `${tableArn}/index/changes`, keys(mine)),
  'the own rules': row('dynamodb:Query', tableArn, keys(rulesPartition(me))),
  'an own rule, written': row('dynamodb:PutItem', tableArn, keys(rulesPartition(me))),
  'the commands function': row('lambda:InvokeFunction', commandsFunctionArn),
};

export const denied: Record<string, AccessRow> = {
  'an original over another': row('s3:PutObject', myInbox, overwrite),
  'an original if it is unchanged': row('s3:PutObject', myInbox, { ...overwrite, 's3:if-match': '"etag"' }),
  'an original into another’s inbox': row('s3:PutObject', othersInbox, once),
  'parts into another’s inbox': row('s3:PutObject', othersInbox, ofPart),
  'an original into an inbox that begins like one’s own': row('s3:PutObject', input(`inbox/${me}evil/x.jpg`), once),
  'an original into the inbox itself': row('s3:PutObject', input('inbox/x.jpg'), once),
  'an original at one’s own name': row('s3:PutObject', input(`inbox/${me}`), once),
  'an original by a path around the inbox': row('s3:PutObject', input(`inbox/../inbox/${me}/x.jpg`), once),
  'an original with an encoded slash': row('s3:PutObject', input(`inbox%2F${me}%2Fx.jpg`), once),
  'an original in other capitals': row('s3:PutObject', input(`INBOX/${me}/x.jpg`), once),
  'an original past the pipeline': row('s3:PutObject', input(analyzedKey(ref(me), 'success')), once),
  'a rendition, written': row('s3:PutObject', output(renditionKey(me, asset, 'thumb')), once),
  'an original, deleted': row('s3:DeleteObject', myInbox),
  'an analysed original, deleted': row('s3:DeleteObject', input(analyzedKey(ref(me), 'failure'))),
  'a version, deleted': row('s3:DeleteObjectVersion', myInbox),
  'a rendition, deleted': row('s3:DeleteObject', output(renditionKey(me, asset, 'thumb'))),
  'tags of an original': row('s3:PutObjectTagging', myInbox),
  'an access list of an original': row('s3:PutObjectAcl', myInbox),
  'an archived original, restored': row('s3:RestoreObject', input(analyzedKey(ref(me), 'failure'))),
  'another’s original': row('s3:GetObject', othersInbox),
  'another’s analysed original': row('s3:GetObject', input(analyzedKey(ref(other), 'success'))),
  'another’s rendition': row('s3:GetObject', output(renditionKey(other, asset, 'preview'))),
  'another’s parts': row('s3:ListMultipartUploadParts', othersInbox),
  'another’s upload given up': row('s3:AbortMultipartUpload', othersInbox),
  'the list of a whole bucket': row('s3:ListBucket', inputBucketArn),
  'the list of all renditions': row('s3:ListBucket', outputBucketArn, prefix('')),
  'the list of all inboxes': row('s3:ListBucket', inputBucketArn, prefix('inbox/')),
  'the list of another’s inbox': row('s3:ListBucket', inputBucketArn, prefix(`inbox/${other}/`)),
  'the list of inboxes that begin like one’s own': row('s3:ListBucket', inputBucketArn, prefix(`inbox/${me}`)),
  'everybody’s uploads': row('s3:ListBucketMultipartUploads', inputBucketArn, prefix(`inbox/${me}/`)),
  'the list of buckets': row('s3:ListAllMyBuckets', '*'),
  'a bucket, deleted': row('s3:DeleteBucket', inputBucketArn),
  'another’s record': row('dynamodb:GetItem', tableArn, keys(other)),
  'one’s own record and another’s': row('dynamodb:BatchGetItem', tableArn, keys(me, other)),
  'another’s partition': row('dynamodb:Query', tableArn, keys(other)),
  'a partition that begins like one’s own': row('dynamodb:Query', tableArn, keys(`${me}#subscriptions`)),
  'another’s changes': row('dynamodb:Query', `${tableArn}/index/changes`, keys(other)),
  'another index': row('dynamodb:Query', `${tableArn}/index/other`, keys(me)),
  'a query without a partition': row('dynamodb:Query', tableArn),
  'a scan': row('dynamodb:Scan', tableArn),
  'a scan of the index': row('dynamodb:Scan', `${tableArn}/index/changes`),
  'a record, written': row('dynamodb:PutItem', tableArn, keys(mine)),
  'a record, updated': row('dynamodb:UpdateItem', tableArn, keys(mine)),
  'a record, deleted': row('dynamodb:DeleteItem', tableArn, keys(mine)),
  'a rule, deleted for good': row('dynamodb:DeleteItem', tableArn, keys(rulesPartition(me))),
  'rules, written in a batch': row('dynamodb:BatchWriteItem', tableArn, keys(rulesPartition(me))),
  'another’s rules': row('dynamodb:Query', tableArn, keys(rulesPartition(other))),
  'another’s rule, written': row('dynamodb:PutItem', tableArn, keys(rulesPartition(other))),
  'what was paid for': row('dynamodb:GetItem', tableArn, keys('usage')),
  'what was paid for, changed': row('dynamodb:PutItem', tableArn, keys('usage')),
  'alerts that wait': row('dynamodb:Query', tableArn, keys('outbox')),
  'another table': row('dynamodb:GetItem', `${tableArn}-2`, keys(me)),
  'the table, described': row('dynamodb:DescribeTable', tableArn),
  'the table, deleted': row('dynamodb:DeleteTable', tableArn),
  'another function': row('lambda:InvokeFunction', commandsFunctionArn.replace('commands', 'dispatch')),
  'a version of the function': row('lambda:InvokeFunction', `${commandsFunctionArn}:1`),
  'a paid call': row('rekognition:DetectLabels', '*'),
  'an execution': row('states:StartExecution', 'arn:aws:states:us-east-1:000000000000:stateMachine:pixwatch-pipeline'),
  'the inbox queue': row('sqs:SendMessage', 'arn:aws:sqs:us-east-1:000000000000:pixwatch-inbox'),
  'an alert': row('sns:Publish', 'arn:aws:sns:us-east-1:000000000000:pixwatch-alerts'),
  'a user, made': row('cognito-idp:AdminCreateUser', '*'),
  'a role': row('sts:AssumeRole', '*'),
};
