import { Validations } from 'aws-cdk-lib';
import {
  AccountRecovery,
  CfnIdentityPool,
  CfnIdentityPoolRoleAttachment,
  Mfa,
  UserPool,
  type UserPoolClient,
} from 'aws-cdk-lib/aws-cognito';
import { FederatedPrincipal, PolicyDocument, Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { type DesktopResources, desktopPolicy } from '../access/desktopPolicy.ts';
import { protectedRemovalPolicyOf, removalPolicyOf } from './removal.ts';
import { explain } from './role.ts';
import type { Settings } from './settings.ts';

/**
 * Who may sign in, and what a signed-in desktop may do. Its library is its identity in the identity pool, which therefore outlives the
 * stack like the photos: under a new pool nobody would find theirs.
 */
export class Access extends Construct {
  readonly userPool: UserPool;
  readonly client: UserPoolClient;
  readonly identityPool: CfnIdentityPool;

  constructor(scope: Construct, id: string, settings: Settings, resources: DesktopResources) {
    super(scope, id);
    this.userPool = createUserPool(this, settings);
    // No secret: it would be in every desktop. The password never leaves the desktop (SRP).
    this.client = this.userPool.addClient('Desktop', {
      authFlows: { userSrp: true },
      disableOAuth: true,
      generateSecret: false,
      preventUserExistenceErrors: true,
      enableTokenRevocation: true,
    });
    this.identityPool = new CfnIdentityPool(this, 'IdentityPool', {
      allowUnauthenticatedIdentities: false,
      allowClassicFlow: false,
      cognitoIdentityProviders: [
        { clientId: this.client.userPoolClientId, providerName: this.userPool.userPoolProviderName, serverSideTokenCheck: true },
      ],
    });
    this.identityPool.applyRemovalPolicy(removalPolicyOf(settings));
    attachDesktopRole(this, this.identityPool.ref, resources);
  }
}

function createUserPool(scope: Construct, settings: Settings): UserPool {
  const userPool = new UserPool(scope, 'Users', {
    selfSignUpEnabled: false,
    signInAliases: { email: true },
    signInCaseSensitive: false,
    passwordPolicy: { minLength: 12, requireLowercase: true, requireUppercase: true, requireDigits: true, requireSymbols: true },
    mfa: Mfa.OFF,
    accountRecovery: AccountRecovery.EMAIL_ONLY,
    deletionProtection: settings.removalPolicy === 'keep',
    removalPolicy: protectedRemovalPolicyOf(settings),
  });
  Validations.of(userPool).acknowledge(
    {
      id: 'AwsSolutions-COG2',
      reason: 'The desktop cannot ask for a second factor yet; accounts are made by the owner alone, with long passwords.',
    },
    {
      id: 'AwsSolutions-COG3',
      reason: 'Threat protection costs 0.02 USD a user and month; few accounts are signed in to here, none can be made from outside.',
    },
    { id: 'AwsSolutions-COG8', reason: 'The Plus plan is what threat protection needs: see COG3.' },
  );
  return userPool;
}

function attachDesktopRole(scope: Construct, identityPool: string, resources: DesktopResources): void {
  const conditions = {
    StringEquals: { 'cognito-identity.amazonaws.com:aud': identityPool },
    'ForAnyValue:StringLike': { 'cognito-identity.amazonaws.com:amr': 'authenticated' },
  };
  const assumedBy = new FederatedPrincipal('cognito-identity.amazonaws.com', conditions, 'sts:AssumeRoleWithWebIdentity');
  const policy = desktopPolicy(resources);
  const role = new Role(scope, 'DesktopRole', { assumedBy, inlinePolicies: { own: PolicyDocument.fromJson(policy) } });
  const named = policy.Statement.flatMap(({ Resource }) => Resource);
  explain(role, named, 'Everything under a prefix that is the identity of whoever signed in.');
  new CfnIdentityPoolRoleAttachment(scope, 'Roles', { identityPoolId: identityPool, roles: { authenticated: role.roleArn } });
}
