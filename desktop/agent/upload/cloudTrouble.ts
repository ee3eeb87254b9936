import { messageOf, Permanent, Transient } from '../../../shared/errors.ts';

/** The cloud as a whole cannot be used at the moment: whatever is sent now would fail the same way. */
export class CloudUnavailable extends Transient {}

const slow = 'The cloud is busy. It is tried again.';
const noAnswer = 'The cloud does not answer. Check the internet connection; it goes on by itself.';
const signIn = 'The sign-in to the cloud has expired. Sign in again.';
const wrongClock = "This computer's clock is wrong, so the cloud refuses its requests. Set the time.";
const sentences: Record<string, string> = {
  SlowDown: slow,
  ThrottlingException: slow,
  ProvisionedThroughputExceededException: slow,
  RequestLimitExceeded: slow,
  ExpiredToken: signIn,
  ExpiredTokenException: signIn,
  InvalidToken: signIn,
  UnrecognizedClientException: signIn,
  RequestTimeTooSkewed: wrongClock,
  // Of the cloud on this computer (cloud/local/s3/route.ts).
  InsufficientStorage: "The disk that holds this computer's cloud is full. Make room; it goes on by itself.",
  NoSuchBucket: "The cloud's storage is not there. Check that the backend is set up and that this is its connection.",
  ResourceNotFoundException:
    'The cloud lacks what this connection names. Check that the backend is set up and that this is its connection.',
};

/** Of DynamoDB, which answers them with status 400. */
const refusals = new Set([
  'AccessDeniedException',
  'InvalidSignatureException',
  'IncompleteSignatureException',
  'MissingAuthenticationTokenException',
]);

/**
 * Whether an answer refuses without a word, as that to a HEAD does, which has no body. S3 says so of keys that have expired; of an object it could
 * only say that it is not there.
 */
export function isUnexplained(thrown: unknown): boolean {
  const { name, status } = answerOf(thrown);
  return status === 400 && name === 'Unknown';
}

/**
 * What a failed call of the AWS SDK means for the queue. A refusal that says nothing about the one file (rights, a missing bucket)
 * stops everything until it is mended, and costs no file its place.
 */
export function cloudTrouble(thrown: unknown): CloudUnavailable | Permanent {
  if (thrown instanceof CloudUnavailable || thrown instanceof Permanent) return thrown;
  const { name, status } = answerOf(thrown);
  // Of the cloud on this computer, which says what to do (cloud/local/startLocalCloud.ts).
  if (name === 'CloudDamaged') return new CloudUnavailable(messageOf(thrown), { cause: thrown });
  const known = sentences[name];
  if (known) return new CloudUnavailable(known, { cause: thrown });
  if (status === undefined) return new CloudUnavailable(noAnswer, { cause: thrown });
  if (status >= 500 || status === 429 || status === 408 || status === 200)
    return new CloudUnavailable(`${slow} (${name})`, { cause: thrown });
  if (status === 401 || status === 403 || refusals.has(name) || isUnexplained(thrown)) {
    return new CloudUnavailable(`The cloud refuses this device (${name}). Check its sign-in and rights.`, { cause: thrown });
  }
  // Somebody else writes the same key at this moment, or the connection broke off inside the body.
  if (status === 409 || name === 'RequestTimeout' || name === 'IncompleteBody') return new CloudUnavailable(slow, { cause: thrown });
  return new Permanent(`The cloud refuses it: ${messageOf(thrown)}`, { cause: thrown });
}

/** The answer's error code and HTTP status; no status when there was no answer. */
export function answerOf(thrown: unknown): { name: string; status: number | undefined } {
  const name = thrown instanceof Error ? thrown.name : '';
  const metadata = thrown instanceof Error && '$metadata' in thrown ? thrown.$metadata : undefined;
  const status = typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata ? metadata.httpStatusCode : undefined;
  return { name, status: typeof status === 'number' ? status : undefined };
}
