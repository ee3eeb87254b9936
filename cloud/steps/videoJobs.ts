import { createHash } from 'node:crypto';
import { DeleteCommand, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { videoJobItem } from '../../shared/keys.ts';
import { assetId, libraryId } from '../../shared/model/asset.ts';
import { parse } from '../../shared/parse.ts';
import type { Backend } from './backend.ts';
import { conditionHeld } from './table.ts';

/** Rekognition's jobs on videos, each an item that says what it is about and who waits for it. */

const videoJob = v.object({
  tag: v.string(),
  library: libraryId,
  asset: assetId,
  /** Of the state that waits. */
  token: v.string(),
  /** Null: it is about to be started. */
  jobId: v.optional(v.nullable(v.string()), null),
});
export type VideoJob = v.InferOutput<typeof videoJob>;

/** Rekognition forgets what it found after 7 days: https://docs.aws.amazon.com/rekognition/latest/APIReference/API_GetLabelDetection.html */
const keptSeconds = 7 * 86_400;

/** The same for the same question about the same asset; short enough for a JobTag and a ClientRequestToken (64 characters). */
export const tagOf = ({ library, asset }: Pick<VideoJob, 'library' | 'asset'>, question: object): string =>
  createHash('sha256')
    .update(JSON.stringify([library, asset, question]))
    .digest('hex')
    .slice(0, 60);

/** Notes who waits for a job, in the place of who did before. @returns the job as it stands, which may have been started already */
export async function noteWaiter(backend: Backend, { tag, library, asset, token }: Omit<VideoJob, 'jobId'>): Promise<VideoJob> {
  const { dynamodb, names, clock } = backend;
  const { Attributes } = await dynamodb.send(
    new UpdateCommand({
      TableName: names.table,
      Key: videoJobItem(tag),
      UpdateExpression: 'SET tag = :tag, #library = :library, asset = :asset, #token = :token, expiresAt = :expiresAt',
      ExpressionAttributeNames: { '#library': 'library', '#token': 'token' },
      ExpressionAttributeValues: {
        ':tag': tag,
        ':library': library,
        ':asset': asset,
        ':token': token,
        ':expiresAt': Math.floor(clock.now() / 1000) + keptSeconds,
      },
      ReturnValues: 'ALL_NEW',
    }),
  );
  return parse(videoJob, Attributes, 'video job');
}

/** Notes that a job was started, unless it is over already. */
export async function noteStarted({ dynamodb, names }: Backend, tag: string, jobId: string): Promise<void> {
  const update = new UpdateCommand({
    TableName: names.table,
    Key: videoJobItem(tag),
    UpdateExpression: 'SET jobId = :jobId',
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeValues: { ':jobId': jobId },
  });
  await conditionHeld(dynamodb.send(update));
}

export async function loadJob({ dynamodb, names }: Backend, tag: string): Promise<VideoJob | null> {
  const { Item } = await dynamodb.send(new GetCommand({ TableName: names.table, Key: videoJobItem(tag), ConsistentRead: true }));
  return Item ? parse(videoJob, Item, 'video job') : null;
}

/** Forgets a job that is over. @returns false when somebody else has come to wait for it meanwhile */
export function forgetJob({ dynamodb, names }: Backend, { tag, token }: VideoJob): Promise<boolean> {
  const remove = new DeleteCommand({
    TableName: names.table,
    Key: videoJobItem(tag),
    ConditionExpression: 'attribute_not_exists(pk) OR #token = :token',
    ExpressionAttributeNames: { '#token': 'token' },
    ExpressionAttributeValues: { ':token': token },
  });
  return conditionHeld(dynamodb.send(remove));
}
