import { isDeepStrictEqual } from 'node:util';
import { S3ServiceException } from '@aws-sdk/client-s3';
import * as v from 'valibot';
import type { Clock } from '../../../../shared/clock.ts';
import { videoMinutes } from '../../../../shared/cost.ts';
import { messageOf, Permanent } from '../../../../shared/errors.ts';
import type { VideoSource } from '../../../steps/video/openVideo.ts';
import type { Database } from '../../database.ts';
import { operation } from '../../gateway/jsonService.ts';
import { ServiceError } from '../../gateway/service.ts';
import { repeat } from '../../repeat.ts';
import type { FoundLabel } from '../labels.ts';
import { type Appearance, lookAtVideo } from './lookAtVideo.ts';
import { createVideoJobs, type VideoEnding, type VideoJob } from './videoJobs.ts';

export interface VideosOptions {
  readonly database: Database;
  readonly clock: Clock;
  /** Opens an object; rejects as the S3 client does. */
  openObject(bucket: string, key: string): Promise<VideoSource>;
  /** Publishes a message to a topic, in the transaction that is open. */
  publish(topicArn: string, message: string): void;
  /** So many minutes of video were looked at. */
  onLookedAt(minutes: number): void;
  /** Gets one line when a job failed and will be tried again. */
  log(line: string): void;
}

/** https://docs.aws.amazon.com/rekognition/latest/dg/limits.html */
const maxVideoBytes = 10 * 1024 ** 3;
const name = v.pipe(v.string(), v.minLength(1));
const token = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/));

const startInput = v.object({
  Video: v.strictObject({ S3Object: v.strictObject({ Bucket: name, Name: name }) }),
  ClientRequestToken: v.optional(token),
  JobTag: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.:-]{1,256}$/))),
  MinConfidence: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100)), 50),
  NotificationChannel: v.optional(v.object({ SNSTopicArn: name, RoleArn: name })),
  Features: v.optional(v.array(v.literal('GENERAL_LABELS', 'only GENERAL_LABELS is known here'))),
});

const getInput = v.object({
  JobId: v.string(),
  AggregateBy: v.literal('SEGMENTS', 'only SEGMENTS is known here'),
  SortBy: v.optional(v.literal('TIMESTAMP', 'only TIMESTAMP is known here')),
  MaxResults: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)), 1000),
  NextToken: v.optional(v.pipe(v.string(), v.digits('is no token')), '0'),
});

/**
 * Rekognition's StartLabelDetection and GetLabelDetection over frames of a video. One video is looked at at a time.
 * @param labelsOf what a JPEG shows; rejects when this is closed
 */
export function createVideos(options: VideosOptions, labelsOf: (jpeg: Buffer) => Promise<readonly FoundLabel[]>) {
  const { database, clock, log } = options;
  const jobs = createVideoJobs(database.sql, clock);
  const look = async (): Promise<number | null> => {
    const job = jobs.next();
    if (!job) return null;
    const ending = await endingOf(job, options, labelsOf);
    jobs.end(job, ending, () => {
      if (job.request.topic !== null) options.publish(job.request.topic, completionOf(job, ending, clock));
    });
    await database.flush();
    if (ending.status === 'SUCCEEDED') options.onLookedAt(videoMinutes(ending.answer.durationMs));
    return 0;
  };
  const looking = repeat(look, (thrown) => log(`A video could not be looked at and will be tried again: ${messageOf(thrown)}`));

  const operations = {
    StartLabelDetection: operation(startInput, async ({ Video, ClientRequestToken, JobTag, MinConfidence, NotificationChannel }) => {
      const { Bucket: bucket, Name: key } = Video.S3Object;
      const topic = NotificationChannel?.SNSTopicArn ?? null;
      const request = { bucket, key, minConfidence: MinConfidence, tag: JobTag ?? null, topic };
      const { size } = await options.openObject(bucket, key).catch(asInvalidObject);
      if (size > maxVideoBytes) throw new ServiceError('VideoTooLargeException', 'The video has more than 10 GB.');
      const job = jobs.add(request, ClientRequestToken ?? null);
      if (!isDeepStrictEqual(job.request, request)) {
        throw new ServiceError('IdempotentParameterMismatchException', 'The ClientRequestToken was used for another request.');
      }
      await database.flush();
      looking.wake();
      return { JobId: job.id };
    }),
    GetLabelDetection: operation(getInput, async ({ JobId, MaxResults, NextToken }) => {
      const job = jobs.find(JobId);
      if (!job) throw new ServiceError('ResourceNotFoundException', 'Could not find JobId');
      return describe(job, Number(NextToken), MaxResults);
    }),
  };
  return { operations, close: looking.close };
}

/** How a job ends. @throws what has nothing to do with the video: then it is tried again */
async function endingOf(
  { request }: VideoJob,
  { openObject }: VideosOptions,
  labelsOf: (jpeg: Buffer) => Promise<readonly FoundLabel[]>,
): Promise<VideoEnding> {
  try {
    const source = await openObject(request.bucket, request.key);
    return { status: 'SUCCEEDED', answer: await lookAtVideo(source, request.minConfidence, labelsOf) };
  } catch (thrown) {
    if (!(thrown instanceof Permanent || isClientFault(thrown))) throw thrown;
    return { status: 'FAILED', message: messageOf(thrown) };
  }
}

const isClientFault = (thrown: unknown) => thrown instanceof S3ServiceException && thrown.$fault === 'client';

function asInvalidObject(thrown: unknown): never {
  if (!isClientFault(thrown)) throw thrown;
  const text = 'Unable to get object metadata from S3. Check object key, region and/or access permissions.';
  throw new ServiceError('InvalidS3ObjectException', text, 400, { cause: thrown });
}

/** https://docs.aws.amazon.com/rekognition/latest/dg/video-notification-payload.html */
const completionOf = ({ id, request }: VideoJob, { status }: VideoEnding, clock: Clock) =>
  JSON.stringify({
    JobId: id,
    Status: status,
    API: 'StartLabelDetection',
    ...(request.tag !== null && { JobTag: request.tag }),
    Timestamp: clock.now(),
    Video: { S3ObjectName: request.key, S3Bucket: request.bucket },
  });

function describe({ id, request, status, message, answer }: VideoJob, first: number, most: number) {
  const { bucket, key, tag } = request;
  const about = { JobId: id, JobStatus: status, ...(tag !== null && { JobTag: tag }), Video: { S3Object: { Bucket: bucket, Name: key } } };
  if (!answer) return { ...about, ...(message !== null && { StatusMessage: message }) };
  const { durationMs, width, height, codec, labels } = answer;
  return {
    ...about,
    LabelModelVersion: '3.0',
    VideoMetadata: { Codec: codec, DurationMillis: durationMs, FrameWidth: width, FrameHeight: height },
    Labels: labels.slice(first, first + most).map(appearanceAnswer),
    ...(first + most < labels.length && { NextToken: String(first + most) }),
  };
}

const appearanceAnswer = ({ label, startMs, endMs }: Appearance) => ({
  StartTimestampMillis: startMs,
  EndTimestampMillis: endMs,
  DurationMillis: endMs - startMs,
  Label: {
    Name: label.name,
    Confidence: label.confidence,
    Instances: [],
    Parents: label.parents.map((parent) => ({ Name: parent })),
    Aliases: [],
    Categories: [{ Name: label.category }],
  },
});
