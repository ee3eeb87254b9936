import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { SNSClient } from '@aws-sdk/client-sns';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromNodeProviderChain } from '@aws-sdk/credential-providers';

/** An AWS account in one region, as whoever runs the command. */
export type Account = ReturnType<typeof openAccount>;

/** Nobody waits longer than some seconds to hear that there is no network. */
const requestHandler = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };

/** Credentials are looked for where the AWS command line looks for them; nothing is asked of AWS yet. */
export function openAccount(region: string) {
  const credentials = fromNodeProviderChain({ clientConfig: { region } });
  const config = { region, credentials, requestHandler, maxAttempts: 2 };
  return {
    region,
    sts: new STSClient(config),
    cloudformation: new CloudFormationClient(config),
    quotas: new ServiceQuotasClient(config),
    lambda: new LambdaClient(config),
    sns: new SNSClient(config),
    s3: new S3Client(config),
    dynamodb: new DynamoDBClient(config),
    cognito: new CognitoIdentityProviderClient(config),
  };
}

export interface Identity {
  /** Twelve digits. */
  readonly account: string;
  /** Who that is, e.g. `arn:aws:iam::123456789012:user/me`. */
  readonly arn: string;
  readonly isRoot: boolean;
}

/** Whose credentials these are. It needs no permission and costs nothing. */
export async function identify({ sts }: Account): Promise<Identity> {
  const { Account: account = '?', Arn: arn = '?' } = await sts.send(new GetCallerIdentityCommand({}));
  return { account, arn, isRoot: arn.endsWith(':root') };
}

const offline =
  /^(ENOTFOUND|EAI_AGAIN|ECONN(REFUSED|RESET|ABORTED)|E(HOST|NET)UNREACH|ETIMEDOUT|EPIPE|TimeoutError|RequestTimeout(Exception)?)$/;
const expired = /^(ExpiredToken(Exception)?|TokenRefreshRequired|RequestExpired)$/;
const unknownKeys =
  /^(InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidSignatureException|InvalidAccessKeyId)$/;
const denied = /^(AccessDenied(Exception)?|AuthorizationError(Exception)?|UnauthorizedOperation|Forbidden|NotAuthorizedException)$/;
const renew = 'Run "aws sso login", or fetch new keys.';

/** Why something did not work, in a sentence that says what to do. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { name, message, code = '' } = thrown as Error & { code?: unknown };
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') return credentialsReason(message);
  if (expired.test(name)) return `The credentials have expired. ${renew}`;
  if (unknownKeys.test(name)) return `AWS does not know these credentials. ${renew}`;
  if (denied.test(name)) return `These credentials may not do this (${firstSentence(message)}). Use others, or have that allowed.`;
  if (offline.test(name) || offline.test(String(code))) return 'AWS does not answer. Is this computer online?';
  return firstSentence(message) || name;
}

function credentialsReason(message: string): string {
  if (/expired|refresh/i.test(message)) return `The sign-in has expired. ${renew}`;
  const [, profile] = /profile:? \[?([\w.@+=,-]+)\]?/i.exec(message) ?? [];
  if (profile !== undefined)
    return `The profile ${JSON.stringify(profile)} is not there or cannot be used. "aws configure list-profiles" lists them.`;
  return 'There are no credentials for AWS. Sign in with "aws configure sso" or "aws configure": see docs/deploy.md.';
}

/** Messages of AWS may go on over many lines. */
const firstSentence = (message: string): string => message.split('\n')[0]?.trim().slice(0, 300) ?? '';
