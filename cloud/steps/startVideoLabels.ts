import { StartLabelDetectionCommand } from '@aws-sdk/client-rekognition';
import * as v from 'valibot';
import { videoMinutes } from '../../shared/cost.ts';
import { Permanent } from '../../shared/errors.ts';
import { inboxKey } from '../../shared/keys.ts';
import type { Backend } from './backend.ts';
import { paidCall } from './paidCall.ts';
import { asUnfit } from './rekognition.ts';
import { admitted, knownOf, rendered, task } from './state.ts';
import { noteStarted, noteWaiter, tagOf, type VideoJob } from './videoJobs.ts';
import { knownLabels, questionOf, settleJob, wake } from './videoLabels.ts';

const input = v.object({ ...admitted.entries, rendered, token: v.string() });
type Input = v.InferOutput<typeof input>;

/**
 * Asks for the labels of a video, once: a job that runs is waited for, and what is known is not asked again. The state that called waits under its
 * token, which `videoLabelsDone` answers, or this when there is an answer already.
 * @throws Permanent when Rekognition cannot look at the video; Throttled, OverBudget
 */
export const startVideoLabels = task('StartVideoLabels', input, async (state, backend) => {
  const { library, asset, token } = state;
  const known = await knownLabels(backend, state);
  if (known) {
    await wake(backend, token, { kind: 'found', labels: known });
    return {};
  }
  const tag = tagOf(state, questionOf(backend));
  // Before the job starts: it may be over before this ends.
  const job = await noteWaiter(backend, { tag, library, asset, token });
  if (job.jobId !== null && (await isTakenUp(backend, { ...job, jobId: job.jobId }))) return {};
  const jobId = await start(backend, state, tag);
  if (jobId === null) {
    await wake(backend, token, { kind: 'found', labels: { known: false } });
    return {};
  }
  await noteStarted(backend, tag, jobId);
  // One that was started before, of which nobody could note it, may be over, and then nobody will tell.
  await settleJob(backend, { ...job, jobId });
  return {};
});

/** @returns false when Rekognition does not know the job any more */
async function isTakenUp(backend: Backend, job: VideoJob & { readonly jobId: string }): Promise<boolean> {
  try {
    await settleJob(backend, job);
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'ResourceNotFoundException') return false;
    throw thrown;
  }
}

/** @returns the job's id; null when it is switched off */
async function start(backend: Backend, state: Input, tag: string): Promise<string | null> {
  const { inputBucket, videoTopicArn, videoRoleArn } = backend.names;
  const { durationMs } = knownOf(state.media, state.rendered).media;
  const request = {
    Video: { S3Object: { Bucket: inputBucket, Name: inboxKey(state) } },
    MinConfidence: questionOf(backend).MinConfidence,
    // The same request a second time is the same job.
    ClientRequestToken: tag,
    JobTag: tag,
    NotificationChannel: { SNSTopicArn: videoTopicArn, RoleArn: videoRoleArn },
  };
  const ask = () => backend.rekognition.send(new StartLabelDetectionCommand(request));
  const started = await paidCall(backend, 'StartLabelDetection', ask, videoMinutes(durationMs)).catch(asUnfit);
  if (!started) return null;
  if (!started.JobId) throw new Permanent('Rekognition has started a job without an id.');
  return started.JobId;
}
