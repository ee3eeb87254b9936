import { BatchGetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { assetItem } from '../../../shared/keys.ts';
import { type AssetId, type LibraryId, outcome } from '../../../shared/model/asset.ts';
import { parse } from '../../../shared/parse.ts';
import { cloudTrouble } from './cloudTrouble.ts';

/** The most that one BatchGetItem answers. */
export const mostAsked = 100;

const answered = v.object({ sk: v.string(), outcome: v.object({ kind: v.picklist(outcome.options.map((o) => o.entries.kind.literal)) }) });

/**
 * Which assets the library holds already: a record with a final outcome is written only when the original is safely stored.
 * @param assets at most `mostAsked`
 * @throws CloudUnavailable or Permanent when the table does not answer
 */
export async function heldAssets(
  { dynamodb, table, library }: { dynamodb: DynamoDBDocumentClient; table: string; library: LibraryId },
  assets: readonly AssetId[],
  abortSignal: AbortSignal,
): Promise<Set<AssetId>> {
  const bySk = new Map(assets.map((asset) => [assetItem(library, asset).sk, asset]));
  const keys = assets.map((asset) => assetItem(library, asset));
  const request = {
    Keys: keys,
    ConsistentRead: true,
    ProjectionExpression: 'sk, #outcome',
    ExpressionAttributeNames: { '#outcome': 'outcome' },
  };
  try {
    // What it leaves out when it is busy counts as not held: S3's own condition still keeps anything from being stored twice.
    const { Responses } = await dynamodb.send(new BatchGetCommand({ RequestItems: { [table]: request } }), { abortSignal });
    const records = (Responses?.[table] ?? []).map((item) => parse(answered, item, 'record'));
    const final = records.filter((record) => record.outcome.kind !== 'pending');
    return new Set(final.flatMap(({ sk }) => bySk.get(sk) ?? []));
  } catch (thrown) {
    throw cloudTrouble(thrown);
  }
}
