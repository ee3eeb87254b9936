import { changesIndex } from '../../shared/keys.ts';
import type { PolicyDocument } from './evaluatePolicy.ts';

/** What a desktop reaches, by ARN. */
export interface DesktopResources {
  readonly inputBucketArn: string;
  readonly outputBucketArn: string;
  readonly tableArn: string;
  readonly commandsFunctionArn: string;
}

/** Whoever signed in: its identity, which is its library. */
const own = '${cognito-identity.amazonaws.com:sub}';

/** Where the originals of a library are, in the input bucket. */
const places = ['inbox', 'analyzed/success', 'analyzed/failure', 'rejected'];

/**
 * All that a signed-in desktop may do, on AWS as on this computer. It may add originals to its own inbox but replace and delete nothing; read
 * what is its own; write its rules; and ask the `commands` function, which takes the library from the caller's identity.
 *
 * Not here on purpose: ListBucketMultipartUploads, as AWS cannot limit it to a prefix (it would show everybody's uploads).
 */
export function desktopPolicy({ inputBucketArn, outputBucketArn, tableArn, commandsFunctionArn }: DesktopResources): PolicyDocument {
  const inbox = `${inputBucketArn}/inbox/${own}/*`;
  return {
    Version: '2012-10-17',
    Statement: [
      {
        // Only on the condition that the key is free: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
        Sid: 'AddOriginals',
        Effect: 'Allow',
        Action: ['s3:PutObject'],
        Resource: [inbox],
        Condition: { Null: { 's3:if-none-match': 'false' } },
      },
      {
        // Beginning an upload and sending its parts make no object and take no condition; completing it does.
        Sid: 'SendParts',
        Effect: 'Allow',
        Action: ['s3:PutObject'],
        Resource: [inbox],
        Condition: { Bool: { 's3:ObjectCreationOperation': 'false' } },
      },
      {
        Sid: 'ResumeUploads',
        Effect: 'Allow',
        Action: ['s3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
        Resource: [inbox],
      },
      {
        Sid: 'ReadOwnObjects',
        Effect: 'Allow',
        Action: ['s3:GetObject'],
        Resource: [...places.map((place) => `${inputBucketArn}/${place}/${own}/*`), `${outputBucketArn}/${own}/*`],
      },
      {
        // Also what makes HEAD of a key that is not there answer 404 instead of 403; S3 then takes the key for the prefix.
        Sid: 'ListOwnOriginals',
        Effect: 'Allow',
        Action: ['s3:ListBucket'],
        Resource: [inputBucketArn],
        Condition: { StringLike: { 's3:prefix': places.map((place) => `${place}/${own}/*`) } },
      },
      {
        Sid: 'ListOwnRenditions',
        Effect: 'Allow',
        Action: ['s3:ListBucket'],
        Resource: [outputBucketArn],
        Condition: { StringLike: { 's3:prefix': [`${own}/*`] } },
      },
      {
        Sid: 'ReadOwnRecords',
        Effect: 'Allow',
        Action: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
        Resource: [tableArn],
        Condition: inPartition(own),
      },
      {
        Sid: 'ReadOwnChanges',
        Effect: 'Allow',
        Action: ['dynamodb:Query'],
        Resource: [`${tableArn}/index/${changesIndex}`],
        Condition: inPartition(own),
      },
      {
        Sid: 'EditOwnRules',
        Effect: 'Allow',
        Action: ['dynamodb:Query', 'dynamodb:PutItem'],
        Resource: [tableArn],
        Condition: inPartition(`${own}#rules`),
      },
      { Sid: 'Commands', Effect: 'Allow', Action: ['lambda:InvokeFunction'], Resource: [commandsFunctionArn] },
    ],
  };
}

/** ForAllValues holds for a request without any key, such as a Scan: so the key must be there besides. */
const inPartition = (partition: string): PolicyDocument['Statement'][number]['Condition'] => ({
  'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [partition] },
  Null: { 'dynamodb:LeadingKeys': 'false' },
});
