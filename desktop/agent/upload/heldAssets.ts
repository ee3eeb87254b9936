import { BatchGetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { assetItem } from '../../../shared/keys.ts';
import type { AssetId, LibraryId } from '../../../shared/model/asset.ts';
import { parse } from '../../../shared/parse.ts';
import { cloudTrouble } from './cloudTrouble.ts';

/** The most that one BatchGetItem answers. */
export const mostAsked = 100;

const answer = v.array(v.object({ sk: v.string(), outcome: v.object({ kind: v.string() }) }));

/**
 * Which assets the library holds already: the pipeline writes a record, even a pending one, only of an original that was stored. One that it gave
 * up on may be gone from the inbox, so whether that is there is left to S3.
 * @param assets at most `mostAsked`
 * @throws CloudUnavailable or Permanent when the table does not answer
 */
export async function heldAssets(
  { dynamodb, table, library }: { dynamodb: DynamoDBDocumentClient; table: string; library: LibraryId },
  assets: readonly AssetId[],
  abortSignal: AbortSignal,
): Promise<Set<AssetId>> {
  const Keys = assets.map((asset) => assetItem(library, asset));
  const command = new BatchGetCommand({ RequestItems: { [table]: { Keys, ConsistentRead: true, ProjectionExpression: 'sk, outcome' } } });
  try {
    // What it leaves out when it is busy counts as not held: S3's own condition still keeps anything from being stored twice.
    const { Responses } = await dynamodb.send(command, { abortSignal });
    const held = new Set(
      parse(answer, Responses?.[table] ?? [], 'records').flatMap(({ sk, outcome }) => (outcome.kind === 'failed' ? [] : [sk])),
    );
    return new Set(assets.filter((asset) => held.has(assetItem(library, asset).sk)));
  } catch (thrown) {
    throw cloudTrouble(thrown);
  }
}
