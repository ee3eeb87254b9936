import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../shared/clock.ts';
import { ServiceError } from '../gateway/service.ts';
import { userPoolName } from '../names.ts';
import { type Attempt, beginAttempt, isProven, makeDecoy, makeVerifier, type Verifier } from './srp.ts';
import type { Tokens } from './tokens.ts';
import type { User, Users } from './users.ts';

export interface SignInOptions {
  readonly users: Users;
  readonly tokens: Tokens;
  /** Makes what stands for users that are not there. */
  readonly decoyKey: Buffer;
  readonly clock: Clock;
}

type Words = Readonly<Record<string, string>>;

/** The two challenges of a sign-in. Each answer is taken once. */
export interface SignIn {
  /** @returns the parameters of the PASSWORD_VERIFIER challenge */
  begin(parameters: Words): Record<string, string>;
  /** @throws ServiceError NotAuthorizedException when the password was not proven */
  prove(responses: Words): User;
  /** @returns the session with which this user may choose a new password */
  askNewPassword(user: User): string;
  changePassword(responses: Words, session: string): User;
}

/** Cognito's own time for an answer. */
const sessionMs = 3 * 60_000;
const maxSessions = 1000;

export function createSignIn({ users, decoyKey, clock }: Omit<SignInOptions, 'tokens'>): SignIn {
  // Only in memory: a sign-in that a restart interrupts is begun again.
  const attempts = createSessions<{
    readonly name: string;
    readonly srpUser: string;
    readonly verifier: Verifier;
    readonly attempt: Attempt;
  }>(clock);
  const changes = createSessions<User>(clock);
  return {
    begin({ USERNAME, SRP_A }) {
      if (!USERNAME || !SRP_A || !/^[0-9a-f]{1,800}$/i.test(SRP_A)) throw invalid('Missing required parameter USERNAME or SRP_A');
      const name = USERNAME.toLowerCase();
      // A user that is not there is asked like any other, and fails like a wrong password.
      const decoy = makeDecoy(decoyKey, name);
      const { srpUser, salt, verifier } = users.find(name) ?? decoy;
      const attempt = beginAttempt({ salt, verifier }, BigInt(`0x${SRP_A}`));
      if (!attempt) throw invalid('Invalid SRP_A');
      const SECRET_BLOCK = attempts.open({ name, srpUser, verifier: { salt, verifier }, attempt });
      // Of who typed an e-mail address Cognito wants the id signed, and not what was typed.
      const asked = { USERNAME: srpUser, USER_ID_FOR_SRP: srpUser };
      return { SALT: salt.toString(16), SRP_B: attempt.serverPublic.toString(16), SECRET_BLOCK, ...asked };
    },
    prove({ USERNAME = '', PASSWORD_CLAIM_SECRET_BLOCK = '', PASSWORD_CLAIM_SIGNATURE = '', TIMESTAMP = '' }) {
      const begun = attempts.take(PASSWORD_CLAIM_SECRET_BLOCK);
      if (!begun || !isNamed(begun, USERNAME)) throw invalidSession();
      const proven = isProven(begun.verifier, begun.attempt, {
        pool: userPoolName,
        user: begun.srpUser,
        secretBlock: Buffer.from(PASSWORD_CLAIM_SECRET_BLOCK, 'base64'),
        timestamp: TIMESTAMP,
        signature: Buffer.from(PASSWORD_CLAIM_SIGNATURE, 'base64'),
      });
      const user = users.find(begun.name);
      // The password may have been changed since the attempt began.
      if (!proven || user?.verifier !== begun.verifier.verifier) throw notAuthorized('Incorrect username or password.');
      return user;
    },
    askNewPassword: (user) => changes.open(user),
    changePassword({ USERNAME = '', NEW_PASSWORD = '' }, session) {
      requireGood(NEW_PASSWORD);
      const asked = changes.take(session);
      const user = asked && users.find(asked.name);
      if (!user || user.verifier !== asked.verifier || !isNamed(user, USERNAME)) throw invalidSession();
      users.setPassword(user, (srpUser) => makeVerifier(userPoolName, srpUser, NEW_PASSWORD), false);
      return { ...user, mustChangePassword: false };
    },
  };
}

/** As Cognito, which takes the user's id and its alias. */
const isNamed = ({ name, srpUser }: Pick<User, 'name' | 'srpUser'>, given: string): boolean =>
  [name, srpUser].includes(given.toLowerCase());

/** Things that wait a short time for an answer, by a name that nobody guesses. */
function createSessions<T>(clock: Clock) {
  const waiting = new Map<string, { readonly value: T; readonly until: number }>();
  return {
    open(value: T): string {
      for (const [id, { until }] of waiting) if (until <= clock.now() || waiting.size >= maxSessions) waiting.delete(id);
      const id = randomBytes(48).toString('base64');
      waiting.set(id, { value, until: clock.now() + sessionMs });
      return id;
    },
    take(id: string): T | null {
      const found = waiting.get(id);
      waiting.delete(id);
      return found && found.until > clock.now() ? found.value : null;
    },
  };
}

const invalid = (text: string) => new ServiceError('InvalidParameterException', text);
const notAuthorized = (text: string) => new ServiceError('NotAuthorizedException', text);
const invalidSession = () => notAuthorized('Invalid session for the user.');

/** Cognito's own least length, and its most. */
export function requireGood(password: string): void {
  if (password.length >= 8 && password.length <= 256) return;
  throw new ServiceError('InvalidPasswordException', 'Password did not conform with policy: Password must have 8 to 256 characters');
}
