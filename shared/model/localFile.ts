import * as v from 'valibot';

/**
 * The one state of a file in a watched folder, with its reason where a person needs one (row D11).
 * - settling: still being written; taken up when it has been still for a while
 * - queued / uploading: waits for or is on its way to the cloud; `reason` says why an earlier try failed
 * - analysing: safely stored, its labels are not back yet; `reason` says so when it takes longer than it should
 * - searchable: its labels are in the local index
 * - kept: stored, not analysed yet
 * - waiting: stored, looked at when there is budget again
 * - rejected: stored, could not be processed
 * - failed: gave up, on analysing it or on what comes after that; `retry` tries again
 * - skipped: not a photo or video, or empty
 * - unreachable: cannot be read at the moment (permissions, unmounted folder)
 */
export const fileState = v.variant('kind', [
  v.object({ kind: v.literal('settling') }),
  v.object({ kind: v.literal('queued'), reason: v.nullable(v.string()) }),
  v.object({ kind: v.literal('uploading'), sent: v.number(), total: v.number() }),
  v.object({ kind: v.literal('analysing'), reason: v.nullable(v.string()) }),
  v.object({ kind: v.literal('searchable') }),
  v.object({ kind: v.literal('kept'), reason: v.string() }),
  v.object({ kind: v.literal('waiting'), reason: v.string() }),
  v.object({ kind: v.literal('rejected'), reason: v.string() }),
  v.object({ kind: v.literal('failed'), reason: v.string() }),
  v.object({ kind: v.literal('skipped'), reason: v.string() }),
  v.object({ kind: v.literal('unreachable'), reason: v.string() }),
]);
export type FileState = v.InferOutput<typeof fileState>;
export type FileStateKind = FileState['kind'];
export const fileStateKinds = fileState.options.map((o) => o.entries.kind.literal);
/** The states that a file leaves by itself, sooner or later. */
export const unfinishedKinds = ['settling', 'queued', 'uploading', 'analysing'] as const satisfies readonly FileStateKind[];

/** How many files are on their way to another state, of the counts of each. */
export function countUnfinished(files: Partial<Record<FileStateKind, number>>): number {
  return unfinishedKinds.reduce((sum, kind) => sum + (files[kind] ?? 0), 0);
}
