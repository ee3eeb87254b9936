/**
 * Lets callers that come at the same time share one run of `sync`. Each caller's promise stands for a run that began after its call, so
 * what it wrote before is covered. A failed run fails all of its callers.
 */
export function shareRuns(sync: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;
  return () => {
    next ??= running
      .catch(() => undefined) // Its own callers have been told.
      .then(() => {
        next = null;
        running = sync();
        return running;
      });
    return next;
  };
}
