import { messageOf } from '../../../shared/errors.ts';
import { abandonedUploadDays } from '../../../shared/keys.ts';
import { type Repeated, repeat } from '../repeat.ts';
import type { Store } from './call.ts';
import { deleteParts } from './metadata.ts';

const dayMs = 24 * 60 * 60 * 1000;
const everyMs = 60 * 60 * 1000;

/**
 * What the deployed buckets' lifecycle rule does, cloud/stack/storage.ts: an upload in parts that was begun so many days ago and is not
 * completed goes, with its parts. Looks at once, then each hour.
 */
export function forgetAbandoned(store: Pick<Store, 'database' | 'blobs' | 'clock'>, log: (line: string) => void): Repeated {
  return repeat(
    async (signal) => {
      // One at a time, since an upload may have thousands of parts.
      while (!signal.aborted && (await forgetOne(store)));
      return everyMs;
    },
    (thrown) => log(`Uploads that were abandoned are not removed yet: ${messageOf(thrown)}`),
  );
}

const oldest = 'SELECT id FROM upload WHERE started_at < ? LIMIT 1';

/** @returns whether there was one */
async function forgetOne({ database, blobs, clock }: Pick<Store, 'database' | 'blobs' | 'clock'>): Promise<boolean> {
  const before = clock.now() - abandonedUploadDays * dayMs;
  if (!database.get(oldest, before)) return false;
  const dead = await database.commit(() => {
    // Only the parts of what is deleted here: those of a completed upload are an object's.
    const upload = database.get<{ id: string }>(`DELETE FROM upload WHERE id = (${oldest}) RETURNING id`, before);
    return upload ? deleteParts(database, upload.id) : [];
  });
  await blobs.collect(dead);
  return true;
}
