import { GetLabelDetectionCommand, type GetLabelDetectionCommandOutput, type LabelDetection } from '@aws-sdk/client-rekognition';
import { SendTaskFailureCommand, SendTaskSuccessCommand } from '@aws-sdk/client-sfn';
import { labelsKey, rawKey } from '../../shared/keys.ts';
import { type Label, maxTimes } from '../../shared/model/label.ts';
import { pipelineVersion } from './assets.ts';
import type { Backend } from './backend.ts';
import { labelOf, summaryOf } from './detectLabels.ts';
import { writeJson } from './objects.ts';
import { awaitToken } from './rate.ts';
import { knownAnswer } from './rekognition.ts';
import type { LabelsFound } from './state.ts';
import { forgetJob, loadJob, type VideoJob } from './videoJobs.ts';

/** What a job on a video comes to, and how the state that waits for it hears of it. */

/** What Rekognition is asked about a video, and what the answer depends on besides it. */
export const questionOf = ({ settings }: Backend) => ({
  api: 'StartLabelDetection',
  pipelineVersion,
  MinConfidence: settings.minConfidence,
});

type Asset = Pick<VideoJob, 'library' | 'asset'>;

/** raw/labels.json holds the pages of the answer as one. */
interface Answer {
  readonly Labels: readonly LabelDetection[];
}

/**
 * Takes up what became of a job: keeps the labels and wakes the state that waits, whichever it is by then. Doing so twice does no harm.
 * @param job with its id
 * @returns false while Rekognition is at it
 */
export async function settleJob(backend: Backend, job: VideoJob & { readonly jobId: string }): Promise<boolean> {
  const first = await pageOf(backend, job.jobId);
  if (first.JobStatus === 'IN_PROGRESS') return false;
  const end = first.JobStatus === 'SUCCEEDED' ? await succeed(backend, job, first) : failure(first.StatusMessage);
  for (let waiting: VideoJob | null = job; waiting; waiting = await loadJob(backend, job.tag)) {
    await wake(backend, waiting.token, end);
    if (await forgetJob(backend, waiting)) break;
  }
  return true;
}

/** How a state that waits goes on. */
type End = { readonly kind: 'found'; readonly labels: LabelsFound } | { readonly kind: 'failed'; readonly reason: string };

async function succeed(backend: Backend, job: VideoJob & { readonly jobId: string }, first: GetLabelDetectionCommandOutput): Promise<End> {
  const Labels = [...(first.Labels ?? [])];
  for (let token = first.NextToken; token !== undefined; ) {
    const page = await pageOf(backend, job.jobId, token);
    Labels.push(...(page.Labels ?? []));
    token = page.NextToken;
  }
  const { VideoMetadata, LabelModelVersion } = first;
  const answer = { JobId: job.jobId, VideoMetadata, LabelModelVersion, Labels };
  await writeJson(backend, rawKey(job.library, job.asset, 'labels'), { question: questionOf(backend), answer });
  return { kind: 'found', labels: await writeLabels(backend, job, answer) };
}

const failure = (message = 'it does not say why'): End => ({
  kind: 'failed',
  reason: `Rekognition could not look at the video: ${message}`,
});

/** An appearance each: far fewer than moments, and those are what is kept. They have no boxes. */
const asked = { AggregateBy: 'SEGMENTS', SortBy: 'TIMESTAMP', MaxResults: 1000 } as const;

async function pageOf(backend: Backend, JobId: string, NextToken?: string): Promise<GetLabelDetectionCommandOutput> {
  await awaitToken(backend, 'GetLabelDetection');
  return backend.rekognition.send(new GetLabelDetectionCommand({ JobId, ...asked, ...(NextToken && { NextToken }) }));
}

/** What was found in a video before, with labels.json written; null when it was not asked for. */
export async function knownLabels(backend: Backend, asset: Asset): Promise<LabelsFound | null> {
  const answer = await knownAnswer<Answer>(backend, rawKey(asset.library, asset.asset, 'labels'), questionOf(backend));
  return answer && writeLabels(backend, asset, answer);
}

async function writeLabels(backend: Backend, { library, asset }: Asset, { Labels }: Answer): Promise<LabelsFound> {
  const labels = videoLabelsOf(Labels).slice(0, backend.settings.maxLabels);
  const key = labelsKey(library, asset);
  await writeJson(backend, key, { labels });
  return { known: true, key, summary: summaryOf(labels) };
}

/** Appearances as labels, the most certain first, each with the first moments in which it comes into view. */
export function videoLabelsOf(appearances: readonly LabelDetection[]): Label[] {
  const labels = new Map<string, Label & { times: number[] }>();
  for (const { Label: found = {}, StartTimestampMillis, Timestamp = 0 } of appearances) {
    const seen = labelOf(found);
    if (!seen) continue;
    const known = labels.get(seen.name);
    const times = [...(known?.times ?? []), Math.max(0, Math.round(StartTimestampMillis ?? Timestamp))];
    const best = known && known.confidence >= seen.confidence ? known : seen;
    labels.set(seen.name, { ...best, instances: [], times });
  }
  return [...labels.values()]
    .map((label) => ({ ...label, times: [...new Set(label.times)].sort((a, b) => a - b).slice(0, maxTimes) }))
    .sort((a, b) => b.confidence - a.confidence);
}

/** What Step Functions says of a state that waits no more: its execution was ended, or runs again and waits under another token. */
const gone = new Set(['TaskDoesNotExist', 'TaskTimedOut', 'InvalidToken']);

/** Lets a state that waits go on. One that does not wait any more is left alone. */
export async function wake({ sfn }: Backend, taskToken: string, end: End): Promise<void> {
  try {
    if (end.kind === 'found') await sfn.send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(end.labels) }));
    else await sfn.send(new SendTaskFailureCommand({ taskToken, error: 'Permanent', cause: end.reason }));
  } catch (thrown) {
    if (!(thrown instanceof Error && gone.has(thrown.name))) throw thrown;
  }
}
