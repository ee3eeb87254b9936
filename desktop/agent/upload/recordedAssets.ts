import { BatchGetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { assetItem } from '../../../shared/keys.ts';
import type { AssetId, LibraryId } from '../../../shared/model/asset.ts';
import { parse } from '../../../shared/parse.ts';
import { cloudTrouble } from './cloudTrouble.ts';

/** The most that one BatchGetItem answers. */
export const mostAsked = 100;

const open: ReadonlySet<string> = new Set(['pending', 'waiting', 'failed']);
const answer = v.array(v.object({ sk: v.string(), outcome: v.object({ kind: v.string() }) }));

/**
 * How far the pipeline got with assets.
 * - done: it has looked at the original, and put it where it belongs or will
 * - open: it has begun, or given up; the original waits in the inbox, unless it was lost there
 */
export type Recorded = 'done' | 'open';

/**
 * What the library's records say of assets. The pipeline writes one, even a pending one, only of an original that was stored.
 * @param assets at most `mostAsked`
 * @throws CloudUnavailable or Permanent when the table does not answer
 */
export async function recordedAssets(
  { dynamodb, table, library }: { dynamodb: DynamoDBDocumentClient; table: string; library: LibraryId },
  assets: readonly AssetId[],
  abortSignal: AbortSignal,
): Promise<Map<AssetId, Recorded>> {
  const Keys = assets.map((asset) => assetItem(library, asset));
  const command = new BatchGetCommand({ RequestItems: { [table]: { Keys, ConsistentRead: true, ProjectionExpression: 'sk, outcome' } } });
  try {
    // What it leaves out when it is busy counts as not recorded: S3's own condition still keeps anything from being stored twice.
    const { Responses } = await dynamodb.send(command, { abortSignal });
    const kinds = new Map(parse(answer, Responses?.[table] ?? [], 'records').map(({ sk, outcome }) => [sk, outcome.kind]));
    return new Map(
      assets.flatMap((asset) => {
        const kind = kinds.get(assetItem(library, asset).sk);
        return kind === undefined ? [] : [[asset, open.has(kind) ? 'open' : 'done'] as const];
      }),
    );
  } catch (thrown) {
    throw cloudTrouble(thrown);
  }
}
