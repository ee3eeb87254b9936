import { UpdateTerminationProtectionCommand } from '@aws-sdk/client-cloudformation';
import { Permanent } from '../../../shared/errors.ts';
import { loadSettings, type Settings } from '../settings.ts';
import { type Account, openAccount } from './account.ts';
import { runCdk } from './cdk.ts';
import { connectionOf, writeConnection } from './connection.ts';
import { enter, mustHaves } from './doctor.ts';
import { isMissing, lineOf } from './findings.ts';
import { quotaArguments } from './quotas.ts';
import { describeStack, isUnfinished } from './stackState.ts';

/** Deploys the backend and writes its connection file. @returns the exit code */
export async function deploy({ yes, out }: { readonly yes: boolean; readonly out: string }): Promise<number> {
  const settings = loadSettings();
  await insist(settings);
  const { name, region } = settings;
  const account = openAccount(region);
  await unprotectUnfinished(account, name);
  const quotas = await quotaArguments(account, settings);
  // By default the CDK asks before it gives anybody more rights.
  const approval = yes ? 'never' : 'broadening';
  const failed = 'The backend was not deployed; what was begun CloudFormation takes back.';
  await runCdk(['deploy', name, '--require-approval', approval, '--progress', 'events', ...quotas], region, failed);
  writeConnection(connectionOf(name, await describeStack(account, name)), out);
  console.log(`
The backend ${name} is ready. The connection file is ${out}; it holds no secrets.
Next:
  1. Let somebody sign in:  npm run cloud:add-user -- me@example.org
  2. In Pixwatch open Backend, choose AWS, drop the file there and sign in.
     Or: npx pixwatch connect ${out} --user me@example.org`);
  return 0;
}

async function unprotectUnfinished(account: Account, StackName: string): Promise<void> {
  const stack = await describeStack(account, StackName);
  if (!stack?.isProtected || !isUnfinished(stack)) return;
  await account.cloudformation.send(new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: false }));
}

/** Tells what is wrong, and stops where it would not work. */
export async function insist(settings: Settings): Promise<void> {
  const findings = await mustHaves(settings, await enter(settings));
  for (const finding of findings) if (finding.kind !== 'ok') console.error(lineOf(finding));
  if (findings.some(isMissing)) throw new Permanent('Nothing was changed. npm run cloud:doctor looks at everything.');
}
