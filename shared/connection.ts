import * as v from 'valibot';
import { InvalidInput } from './errors.ts';
import { libraryId } from './model/asset.ts';

/** Only https, or plain http to this very computer by address; no user name or password inside, and neither path nor query behind. */
const safeEndpoint = /^(https:\/\/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|http:\/\/(?:127\.0\.0\.1|\[::1\]))(:\d{1,5})?\/?$/i;

/** What something in AWS is called. Names are only ever sent to AWS, never used as a path on this computer. */
const name = (pattern: RegExp, what: string) => v.pipe(v.string(what), v.regex(pattern, what));
const bucket = name(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is no bucket name');

const place = {
  /** Absent: AWS itself. Present: an AWS-compatible endpoint for all services. */
  endpoint: v.optional(name(safeEndpoint, 'must be https, or http to 127.0.0.1')),
  region: name(/^[a-z]{2}(-[a-z]+)+-\d$/, 'is no region name'),
  inputBucket: bucket,
  outputBucket: bucket,
  table: name(/^[A-Za-z0-9_.-]{3,255}$/, 'is no table name'),
  commandsFunction: name(/^[A-Za-z0-9_-]{1,64}$/, 'is no function name'),
};

/** Where a backend is and what its parts are called: all that the agent must know besides credentials. */
export const connection = v.object({ ...place, library: libraryId });
export type Connection = v.InferOutput<typeof connection>;

/**
 * The connection file that deploying a backend writes: where the backend is, and where its users sign in. It holds no secret, and says nothing of
 * whose library it is.
 */
export const connectionFile = v.object({
  version: v.literal(1),
  /** What the backend is called, for people. */
  name: name(/^[A-Za-z0-9][A-Za-z0-9 _-]{0,63}$/, 'must be 1–64 letters, digits, spaces, "_" or "-"'),
  ...place,
  /** Amazon Cognito's ids. Their forms: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference */
  signIn: v.object({
    userPool: name(/^[a-z0-9-]{1,40}_[A-Za-z0-9]{1,40}$/, 'is no id of a user pool'),
    userPoolClient: name(/^[A-Za-z0-9]{1,128}$/, 'is no id of a user pool’s client'),
    identityPool: name(/^[a-z0-9-]{1,40}:[0-9a-f-]{1,40}$/, 'is no id of an identity pool'),
  }),
});
export type ConnectionFile = v.InferOutput<typeof connectionFile>;

/** In characters; a real one has some 600. */
const longestFile = 16_384;
const advice = 'Choose the file that "npm run cloud:deploy" wrote.';

/**
 * Reads the text of a connection file, which may come from anywhere.
 * @throws InvalidInput with one sentence that says what is wrong and what to do
 */
export function parseConnectionFile(text: string): ConnectionFile {
  const value = text.length > longestFile ? undefined : jsonOf(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new InvalidInput(`This is no connection file. ${advice}`);
  if ('version' in value && typeof value.version === 'number' && value.version > 1) {
    throw new InvalidInput('This connection file was made for a newer Pixwatch. Update this one.');
  }
  const result = v.safeParse(connectionFile, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = v.getDotPath(issue);
  // What the file holds is not quoted: it may be anything.
  const why = issue.kind === 'schema' && issue.type !== 'string' ? 'is missing or not what it should be' : issue.message;
  throw new InvalidInput(`This connection file cannot be used: “${field}” ${why}. ${advice}`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The connection of a library to the backend of a file. */
export function connectionTo({ version: _, name: __, signIn: ___, ...place }: ConnectionFile, library: Connection['library']): Connection {
  return { ...place, library };
}

/** Access keys; `sessionToken` with temporary ones. Never logged, never stored but in the file or keychain they came from. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/**
 * Gives the keys that are good now, and until when by this computer's clock. Whoever calls it keeps them until five minutes before that, or
 * for good when they do not expire.
 * @param options with `forceRefresh` the cloud has refused those given before, whatever their `expiration` says: new ones are needed
 */
export type CredentialsProvider = (options?: { readonly forceRefresh?: boolean }) => Promise<Credentials & { readonly expiration?: Date }>;
