import * as v from 'valibot';
import { InvalidInput } from './errors.ts';
import { type AssetId, assetId, type LibraryId, libraryId, type PictureName, pictures } from './model/asset.ts';
import type { RuleId } from './model/rule.ts';

/** Every S3 key and DynamoDB key is built and parsed here and nowhere else. Layout: see docs/architecture.md. */

const extension = v.pipe(v.string(), v.regex(/^[a-z0-9]{1,8}$/, 'must be a short extension'));

/** Which original, by its content and the extension it was sent with (lower case, no dot). */
export interface OriginalRef {
  readonly library: LibraryId;
  readonly asset: AssetId;
  readonly ext: string;
}

export const originalRef = v.object({ library: libraryId, asset: assetId, ext: extension });

const tail = ({ library, asset, ext }: OriginalRef) => `${library}/${asset}.${v.parse(extension, ext)}`;

/** Input bucket: where a new original waits to be analysed. The only prefix that starts the pipeline. */
export const inboxKey = (ref: OriginalRef) => `inbox/${tail(ref)}`;
/** Input bucket: an analysed original; `success` when a rule matched. */
export const analyzedKey = (ref: OriginalRef, category: 'success' | 'failure') => `analyzed/${category}/${tail(ref)}`;
/** Input bucket: an original that could not be processed. */
export const rejectedKey = (ref: OriginalRef) => `rejected/${tail(ref)}`;
/** Input bucket: where an original goes when its record says how it ended. */
export const filedKey = (ref: OriginalRef, destination: 'success' | 'failure' | 'rejected') =>
  destination === 'rejected' ? rejectedKey(ref) : analyzedKey(ref, destination);
export const inboxPrefix = 'inbox/';

/** After so many days both clouds forget an upload in parts that was begun and not completed: a desktop goes on with its own sooner. */
export const abandonedUploadDays = 7;

/**
 * Reads an inbox key back.
 * @throws InvalidInput when the key was not built by `inboxKey`
 */
export function parseInboxKey(key: string): OriginalRef {
  const [, library, asset, ext] = /^inbox\/([^/]+)\/([^/.]+)\.([^/.]+)$/.exec(key) ?? [];
  const result = v.safeParse(originalRef, { library, asset, ext });
  if (!result.success) throw new InvalidInput(`not an inbox key: ${JSON.stringify(key)}`);
  return result.output;
}

/** Output bucket keys of one asset. */
export const renditionKey = (library: LibraryId, asset: AssetId, picture: PictureName) => `${library}/${asset}/${pictures[picture].file}`;
export const labelsKey = (library: LibraryId, asset: AssetId) => `${library}/${asset}/labels.json`;
export const rawKey = (library: LibraryId, asset: AssetId, detector: string) => `${library}/${asset}/raw/${detector}.json`;

/** DynamoDB: attribute names of the table's key and of the `changes` index (partition `pk`, sort `changedAt`). */
export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}
export const changesIndex = 'changes';
export const assetItem = (library: LibraryId, asset: AssetId): ItemKey => ({ pk: library, sk: `${assetPrefix}${asset}` });
export const assetPrefix = 'asset#';
export const rulesPartition = (library: LibraryId) => `${library}#rules`;
export const ruleItem = (library: LibraryId, rule: RuleId): ItemKey => ({ pk: rulesPartition(library), sk: `rule#${rule}` });
/** Who gets a library's alerts by SNS: its subscriptions, by their ARN. Only the backend reads and writes them. */
export const subscriptionsPartition = (library: LibraryId) => `${library}#subscriptions`;
export const subscriptionItem = (library: LibraryId, arn: string): ItemKey => ({ pk: subscriptionsPartition(library), sk: arn });
/**
 * Subscriptions of all libraries that were ended before their receivers confirmed them, which SNS can only end when they have. Only the backend reads and
 * writes them.
 */
export const endedSubscriptionsPartition = 'ended-subscriptions';
export const endedSubscriptionItem = (arn: string): ItemKey => ({ pk: endedSubscriptionsPartition, sk: arn });
/** Alerts that wait to be published, and those that were. Only the backend reads and writes them. */
export const outboxPartition = 'outbox';
export const waitingAlertPrefix = 'waiting#';
export const waitingAlertItem = (alertId: string): ItemKey => ({ pk: outboxPartition, sk: `${waitingAlertPrefix}${alertId}` });
export const sentAlertItem = (alertId: string): ItemKey => ({ pk: outboxPartition, sk: `sent#${alertId}` });
/** When a rule may publish its next message. */
export const ruleTurnItem = (library: string, rule: string): ItemKey => ({ pk: outboxPartition, sk: `turn#${library}/${rule}` });
/** Stable for ever, so that a subscriber can tell a repeated message from a new one. */
export const alertIdOf = (library: LibraryId, asset: AssetId, rule: RuleId) => `${library}/${asset}/${rule}`;

/** What was paid for in a month (UTC, `2024-06`), and by when which API may be called next. Only the backend reads and writes them. */
const usagePartition = 'usage';
export const usageItem = (month: string): ItemKey => ({ pk: usagePartition, sk: month });
export const rateItem = (api: string): ItemKey => ({ pk: usagePartition, sk: `rate#${api}` });
/** Assets that wait for budget; sorted by content, so that no library comes first. Only the backend reads and writes them. */
export const waitingPartition = 'waiting';
export const waitingItem = (library: LibraryId, asset: AssetId): ItemKey => ({ pk: waitingPartition, sk: `${asset}#${library}` });

/** Jobs that look at a video, by their tag, with what waits for them. Only the backend reads and writes them. */
const videoJobsPartition = 'videoJobs';
export const videoJobItem = (tag: string): ItemKey => ({ pk: videoJobsPartition, sk: tag });

/** The partitions that are no library's, and hold no records. */
export const backendPartitions = [outboxPartition, usagePartition, waitingPartition, videoJobsPartition, endedSubscriptionsPartition];

/** User metadata of an uploaded original, in S3's ASCII: `name` is the percent-encoded file name, `modified` ISO 8601. */
export const originalMetadata = {
  write: (name: string, modified: string) => ({ name: encodeURIComponent(name.toWellFormed()).slice(0, 1024), modified }),
  read(metadata: Record<string, string> | undefined): { name: string | null; modified: string | null } {
    const modified = metadata?.['modified'] ?? '';
    let name: string | null = null;
    try {
      name = metadata?.['name'] ? decodeURIComponent(metadata['name']) : null;
    } catch {
      // Cut at 1,024 bytes inside an escape, or written by another tool: the raw text still helps a person.
      name = metadata?.['name'] ?? null;
    }
    return { name, modified: Number.isNaN(Date.parse(modified)) ? null : modified };
  },
};
