import { InvalidInput, messageOf, Permanent, Transient } from '../../../shared/errors.ts';
import { answerOf, type CloudUnavailable, cloudTrouble } from '../upload/cloudTrouble.ts';

/** One sentence for both, so that nobody learns which users there are. */
const wrongWords = 'User name or password is not right.';
const tooMany = 'Too many tries. Wait some minutes, then try again.';

/** What a failed sign-in means, by https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/CommonErrors.html and each call's own. */
export function signInTrouble(thrown: unknown): InvalidInput | Permanent | Transient | CloudUnavailable {
  if (thrown instanceof InvalidInput || thrown instanceof Permanent || thrown instanceof Transient) return thrown;
  const { name } = answerOf(thrown);
  const options = { cause: thrown };
  switch (name) {
    case 'NotAuthorizedException':
      // Cognito says more than one thing by this error, and tells them apart by words alone.
      if (/attempts exceeded/i.test(messageOf(thrown))) return new Transient(tooMany, options);
      if (/temporary password has expired/i.test(messageOf(thrown))) {
        return new InvalidInput('The first password has expired. Ask whoever runs the backend for a new one.', options);
      }
      return new InvalidInput(wrongWords, options);
    case 'UserNotFoundException':
      return new InvalidInput(wrongWords, options);
    case 'TooManyRequestsException':
    case 'TooManyFailedAttemptsException':
    case 'LimitExceededException':
      return new Transient(tooMany, options);
    case 'InvalidPasswordException':
      return new InvalidInput(`The new password is not good enough. ${messageOf(thrown)}`, options);
    case 'PasswordResetRequiredException':
      return new InvalidInput('The password must be set anew. Ask whoever runs the backend.', options);
    case 'UserNotConfirmedException':
      return new InvalidInput('This user is not confirmed yet. Ask whoever runs the backend.', options);
    case 'ResourceNotFoundException':
      return new Permanent(
        'The place to sign in is not there. Check that the backend is set up and that this is its connection file.',
        options,
      );
    case 'InvalidParameterException':
      return new InvalidInput(`The backend does not take this sign-in: ${messageOf(thrown)}`, options);
    default:
      return cloudTrouble(thrown);
  }
}
