import type { CredentialsProvider } from '../../shared/connection.ts';
import { isUnexplained } from './upload/cloudTrouble.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; the JSON services say the second and the fourth. */
const refusals = new Set(['ExpiredToken', 'ExpiredTokenException', 'InvalidToken', 'UnrecognizedClientException']);

/**
 * A middleware for the `initialize` step of an SDK client: when the cloud holds the credentials to be over, whatever their local expiry
 * says, new ones are fetched and the request is made once more. The SDK by itself would use them until that expiry.
 * @param credentials the client's own provider, `client.config.credentials`: it keeps what it got until `forceRefresh`
 */
export function renewCredentials(credentials: CredentialsProvider) {
  return <Args, Answer>(next: (args: Args) => Promise<Answer>) =>
    async (args: Args): Promise<Answer> => {
      const used = await credentials();
      try {
        return await next(args);
      } catch (thrown) {
        if (!(thrown instanceof Error && (refusals.has(thrown.name) || isUnexplained(thrown)))) throw thrown;
        // Of the requests under way together only the first fetches.
        if ((await credentials()) === used) await credentials({ forceRefresh: true });
        return next(args);
      }
    };
}
