import { messageOf } from '../../../shared/errors.ts';

const refused = /^(ExpiredToken|InvalidAccessKeyId|InvalidSignature|SignatureDoesNotMatch|UnrecognizedClient|AccessDenied|NotAuthorized)/;

/** Why a call of the cloud failed, as a sentence for people. */
export function cloudTrouble(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `The cloud cannot be used: ${messageOf(thrown)}`;
  const { code, $metadata } = thrown as Error & { code?: unknown; $metadata?: { httpStatusCode?: number } };
  if (refused.test(thrown.name)) return `The cloud refused the sign-in of this computer (${thrown.name}): ${thrown.message}`;
  if ($metadata?.httpStatusCode) return `The cloud answered with an error (${thrown.name}): ${thrown.message}`;
  return `The cloud does not answer (${typeof code === 'string' ? code : thrown.message}).`;
}
