import type { CredentialsProvider } from '../../../shared/connection.ts';
import { messageOf } from '../../../shared/errors.ts';
import { CloudUnavailable } from '../upload/cloudTrouble.ts';

/**
 * The keys of a profile of the AWS command line (`~/.aws`): fixed ones, single sign-on, an assumed role or a program that gives them.
 * @returns a provider that throws CloudUnavailable, with what to do, when the profile gives none
 */
export function profileCredentials(profile: string, region: string): CredentialsProvider {
  return async ({ forceRefresh = false } = {}) => {
    // Only here: it takes its time to load, and few need it.
    const { fromIni } = await import('@aws-sdk/credential-providers');
    try {
      return await fromIni({ profile, ignoreCache: forceRefresh, clientConfig: { region } })();
    } catch (cause) {
      throw new CloudUnavailable(
        `The AWS profile “${profile}” gives no keys: ${messageOf(cause)} With single sign-on, run: aws sso login --profile ${profile}`,
        { cause },
      );
    }
  };
}
