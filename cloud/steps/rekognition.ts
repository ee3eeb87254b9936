import { isDeepStrictEqual } from 'node:util';
import type { Image, BoundingBox as RekognitionBox } from '@aws-sdk/client-rekognition';
import * as v from 'valibot';
import type { PaidApi } from '../../shared/cost.ts';
import { messageOf, Permanent } from '../../shared/errors.ts';
import { rawKey, renditionKey } from '../../shared/keys.ts';
import type { AssetId, LibraryId } from '../../shared/model/asset.ts';
import type { BoundingBox } from '../../shared/model/label.ts';
import { pipelineVersion } from './assets.ts';
import type { Backend } from './backend.ts';
import { readOutputIfThere, writeJson } from './objects.ts';
import { isOn, paidCall } from './paidCall.ts';

/** What the detectors share: what they look at, and how numbers are taken over. */

export const analysisCopy = ({ names }: Backend, library: LibraryId, asset: AssetId): Image => ({
  S3Object: { Bucket: names.outputBucket, Name: renditionKey(library, asset, 'analysis') },
});

/** Which answer is wanted: what it is about, and whatever else it depends on. `name` is that of its file in the output bucket. */
export interface Question<A extends object> {
  readonly library: LibraryId;
  readonly asset: AssetId;
  readonly api: PaidApi;
  readonly name: string;
  readonly settings: object;
  ask(): Promise<A>;
  /** What else belongs into the file. */
  derive?(answer: A): object;
}

const answerFile = v.object({ question: v.unknown(), answer: v.record(v.string(), v.unknown()) });

/** What was answered to the same question before, if anything was. @param key of the file in the output bucket */
export async function knownAnswer<A extends object>(backend: Backend, key: string, question: object): Promise<A | null> {
  const file = await readOutputIfThere(backend, key);
  const known = file && v.safeParse(v.pipe(v.string(), v.parseJson(), answerFile), file.toString('utf8'));
  return known?.success && isDeepStrictEqual(known.output.question, question) ? (known.output.answer as A) : null;
}

/**
 * What Rekognition answers about an asset, paid once: an execution that runs again, as after it died or waited for budget, reads back what
 * was answered to the same question before. Leaves `raw/<name>.json` in the output bucket.
 * @returns the file's key with the answer; null when the detector is switched off
 * @throws Permanent when Rekognition cannot look at this picture
 */
export async function askOnce<A extends object>(backend: Backend, wanted: Question<A>): Promise<{ key: string; answer: A } | null> {
  const { library, asset, api, name, settings, ask, derive = () => ({}) } = wanted;
  if (!isOn(backend, api)) return null;
  const key = rawKey(library, asset, name);
  const question = { api, pipelineVersion, ...settings };
  const known = await knownAnswer<A>(backend, key, question);
  if (known) return { key, answer: known };
  const answered = await paidCall(backend, api, ask).catch(asUnfit);
  if (!answered) return null;
  const { $metadata: _, ...answer } = answered as A & { $metadata?: unknown };
  await writeJson(backend, key, { question, answer, ...derive(answer as A) });
  return { key, answer: answer as A };
}

/** What Rekognition calls what it cannot look at. A wrong parameter is no fault of the picture. */
const unfit = /^(InvalidImageFormat|ImageTooLarge|VideoTooLarge)Exception$/;

/** @throws Permanent when Rekognition cannot look at a picture or video, else what it threw */
export function asUnfit(thrown: unknown): never {
  if (!(thrown instanceof Error) || !unfit.test(thrown.name)) throw thrown;
  throw new Permanent(`Rekognition cannot look at it: ${messageOf(thrown)}`, { cause: thrown });
}

const rounded = (value: number, digits: number) => Number(value.toFixed(digits));

/** Four digits are less than a pixel of the analysis copy; more would only fill the record. */
export const boxOf = ({ Left = 0, Top = 0, Width = 0, Height = 0 }: RekognitionBox = {}): BoundingBox => ({
  left: rounded(Left, 4),
  top: rounded(Top, 4),
  width: rounded(Width, 4),
  height: rounded(Height, 4),
});

export const percent = (confidence = 0): number => rounded(confidence, 2);
