import { AdminCreateUserCommand } from '@aws-sdk/client-cognito-identity-provider';
import type { Account } from './account.ts';
import { connectionOf } from './connection.ts';
import { describeStack } from './stackState.ts';

/** Lets somebody sign in: Cognito mails a password that must be changed at the first sign-in. */
export async function addUser(account: Account, name: string, email: string): Promise<void> {
  const { signIn } = connectionOf(name, await describeStack(account, name));
  const attributes = { email, email_verified: 'true' };
  try {
    await account.cognito.send(
      new AdminCreateUserCommand({
        UserPoolId: signIn.userPool,
        Username: email,
        UserAttributes: Object.entries(attributes).map(([Name, Value]) => ({ Name, Value })),
        DesiredDeliveryMediums: ['EMAIL'],
      }),
    );
  } catch (thrown) {
    if (!(thrown instanceof Error && thrown.name === 'UsernameExistsException')) throw thrown;
    console.log(`${email} can sign in already.`);
    return;
  }
  console.log(`${email} gets a mail with a first password, which is good for 7 days.`);
}
