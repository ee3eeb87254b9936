import * as v from 'valibot';
import { libraryId } from './model/asset.ts';

/** Only https, or plain http to this very computer by address; no user name or password inside. */
const safeEndpoint = /^(https:\/\/[^\s@/]+|http:\/\/(127\.0\.0\.1|\[::1\])(:\d+)?)\/?$/;

/** Where a backend is and what its parts are called: all that the agent must know besides credentials. */
export const connection = v.object({
  /** Absent: AWS itself. Present: an AWS-compatible endpoint for all services. */
  endpoint: v.optional(v.pipe(v.string(), v.regex(safeEndpoint, 'must be https, or http to 127.0.0.1'))),
  region: v.pipe(v.string(), v.regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'is no region name')),
  library: libraryId,
  inputBucket: v.string(),
  outputBucket: v.string(),
  table: v.string(),
  commandsFunction: v.string(),
});
export type Connection = v.InferOutput<typeof connection>;

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
