import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { Account } from './account.ts';
import { type Finding, missing, ok, warning } from './findings.ts';

/** A stack as CloudFormation knows it. */
export interface StackState {
  readonly status: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly isProtected: boolean;
}

/** @returns null when there is no such stack */
export async function describeStack({ cloudformation }: Pick<Account, 'cloudformation'>, name: string): Promise<StackState | null> {
  try {
    const { Stacks: [stack] = [] } = await cloudformation.send(new DescribeStacksCommand({ StackName: name }));
    if (!stack) return null;
    const outputs = (stack.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]);
    return {
      status: stack.StackStatus ?? '',
      outputs: Object.fromEntries(outputs),
      isProtected: stack.EnableTerminationProtection ?? false,
    };
  } catch (thrown) {
    if (thrown instanceof Error && /does not exist/.test(thrown.message)) return null;
    throw thrown;
  }
}

/** What the CDK needs in an account before anything can be deployed. */
export const bootstrapStack = 'CDKToolkit';
/** What the template demands: CDK's DefaultStackSynthesizer. */
const bootstrapVersion = 6;

export function judgeBootstrap(toolkit: StackState | null, account: string, region: string): Finding {
  const command = `npx cdk bootstrap aws://${account}/${region}`;
  if (!toolkit) return missing(`CDK: this account is not prepared for it in ${region}. Run, once: ${command}`);
  const version = Number(toolkit.outputs['BootstrapVersion'] ?? 0);
  if (!(version >= bootstrapVersion))
    return missing(`CDK: what it needs in the account is of version ${version}, not ${bootstrapVersion}. Run: ${command}`);
  return ok(`CDK: the account is prepared for it (version ${version}).`);
}

/**
 * Whether it is a first deployment that failed and was taken back. Nothing can be done with it but to delete it, which takes nothing along any more; the CDK does
 * so to begin anew, unless it is protected, as it is from its first moment.
 */
export const isUnfinished = ({ status }: StackState): boolean => status === 'ROLLBACK_COMPLETE';

/** By https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html#cfn-console-view-stack-data-resources */
export function judgeStack(name: string, stack: StackState | null): Finding {
  if (!stack) return ok(`Stack: there is no ${name} yet; deploying creates it.`);
  const { status } = stack;
  if (/^REVIEW_IN_PROGRESS$|^ROLLBACK_COMPLETE$/.test(status))
    return warning(`Stack: ${name} was never finished (${status}). Deploying begins anew.`);
  if (/_IN_PROGRESS$/.test(status)) return missing(`Stack: ${name} is being changed (${status}). Wait until that has ended.`);
  if (/_FAILED$/.test(status)) {
    return missing(
      `Stack: ${name} is in the state ${status}. Look at its events in CloudFormation's console: docs/deploy.md, "When deploying fails".`,
    );
  }
  return ok(`Stack: ${name} is there (${status}); deploying updates it.`);
}
