import * as v from 'valibot';
import { messageOf } from '../../shared/errors.ts';
import { parse } from '../../shared/parse.ts';
import type { Backend } from './backend.ts';
import { type BatchResponse, sqsEvent } from './dispatch.ts';
import { loadJob } from './videoJobs.ts';
import { settleJob } from './videoLabels.ts';

const json = v.pipe(v.string(), v.parseJson());
/** https://docs.aws.amazon.com/rekognition/latest/dg/video-notification-payload.html */
const completion = v.object({ JobId: v.string(), JobTag: v.string(), API: v.literal('StartLabelDetection') });
/** As it comes from SNS by itself, or in SNS's envelope. */
const notification = v.union([
  v.pipe(json, completion),
  v.pipe(
    json,
    v.object({ Message: v.pipe(json, completion) }),
    v.transform(({ Message }) => Message),
  ),
]);

/**
 * Takes up that Rekognition is done with videos. What comes twice, late, or about a job that nobody waits for any more does nothing; what fails comes
 * again, and from the dead letters of its queue nothing is lost: the execution that waits asks again by itself.
 * @param event of SQS
 */
export async function videoLabelsDone(event: unknown, backend: Backend): Promise<BatchResponse> {
  const { Records } = parse(sqsEvent, event, 'event');
  const failed = await Promise.all(
    Records.map(async ({ messageId, body }) => {
      try {
        const { JobId: jobId, JobTag: tag } = parse(notification, body, 'message');
        const job = await loadJob(backend, tag);
        if (job && (job.jobId ?? jobId) === jobId) await settleJob(backend, { ...job, jobId });
        return [];
      } catch (thrown) {
        backend.warn(`Message ${messageId} about a video could not be taken up and comes again: ${messageOf(thrown)}`);
        return [{ itemIdentifier: messageId }];
      }
    }),
  );
  return { batchItemFailures: failed.flat() };
}
