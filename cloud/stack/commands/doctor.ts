import { lookup } from 'node:dns/promises';
import { GetSMSSandboxAccountStatusCommand } from '@aws-sdk/client-sns';
import { InvalidInput } from '../../../shared/errors.ts';
import { defaultQuotas } from '../quotas.ts';
import { loadSettings, type Settings, settingsPath } from '../settings.ts';
import { type Account, type Identity, identify, openAccount, reasonOf } from './account.ts';
import { type Finding, isMissing, lineOf, missing, ok, unchecked, warning } from './findings.ts';
import { judgeConcurrency, judgeJobs, judgeRates, loadConcurrency, loadListed } from './quotas.ts';
import { judgeRegion } from './regions.ts';
import { bootstrapStack, describeStack, judgeBootstrap, judgeStack } from './stackState.ts';

/** Says, line by line, what deploying needs and whether it is there. Changes nothing. @returns the exit code: 1 when deploying would fail */
export async function doctor(): Promise<number> {
  const settings = readSettings(settingsPath);
  const findings = settings.read ? await examine(settings.read) : [];
  for (const finding of [settings.finding, ...findings]) console.log(lineOf(finding));
  const count = [settings.finding, ...findings].filter(isMissing).length;
  console.log(count === 0 ? 'Nothing is missing. Next: npm run cloud:deploy' : `Deploying would fail: ${count} missing.`);
  return count === 0 ? 0 : 1;
}

/** @param path of the settings file */
export function readSettings(path: string): { readonly read: Settings | null; readonly finding: Finding } {
  try {
    const read = loadSettings(path);
    return { read, finding: ok(`Settings: ${read.name} in ${read.region}, Node ${process.versions.node}.`) };
  } catch (thrown) {
    if (!(thrown instanceof InvalidInput)) throw thrown;
    return { read: null, finding: missing(thrown.message) };
  }
}

async function examine(settings: Settings): Promise<Finding[]> {
  const visit = await enter(settings);
  return [...(await mustHaves(settings, visit)), judgeSubscribers(settings), ...(await niceToHaves(settings, visit))];
}

/** An account, and whose credentials were found for it, or why none. */
export interface Visit {
  readonly account: Account;
  readonly who: Identity | { readonly why: string };
}

export async function enter({ region }: Settings): Promise<Visit> {
  const account = openAccount(region);
  try {
    return { account, who: await identify(account) };
  } catch (thrown) {
    return { account, who: { why: reasonOf(thrown) } };
  }
}

/** What deploying fails without. */
export async function mustHaves(settings: Settings, { account, who }: Visit): Promise<Finding[]> {
  const region = judgeRegion(settings, await doesAnswer(settings.region));
  if ('why' in who) {
    const rest = ['What the CDK needs in the account', 'The stack'].map((what) => unchecked(what, 'see the account.'));
    return [region, missing(`Account: ${who.why}`), ...rest];
  }
  const stacks = await Promise.all([
    check('What the CDK needs in the account', async () =>
      judgeBootstrap(await describeStack(account, bootstrapStack), who.account, settings.region),
    ),
    check('The stack', async () => judgeStack(settings.name, await describeStack(account, settings.name))),
  ]);
  return [region, judgeIdentity(who), ...stacks];
}

/** What a deployed backend works worse without. */
async function niceToHaves(settings: Settings, { account, who }: Visit): Promise<Finding[]> {
  const needsSms = settings.subscribers.some(({ protocol }) => protocol === 'sms');
  const names = ['Quotas of Rekognition', 'The quota of Lambda', ...(needsSms ? ['SMS'] : [])] as const;
  if ('why' in who) return names.map((what) => unchecked(what, 'see the account.'));
  const [listed, functions] = await Promise.allSettled([loadListed(account.quotas), loadConcurrency(account)]);
  const concurrency = functions.status === 'fulfilled' ? functions.value : defaultQuotas(settings.region).functions;
  const rates =
    listed.status === 'fulfilled'
      ? [...judgeRates(settings, listed.value, concurrency), ...judgeJobs(settings, listed.value)]
      : [unchecked(names[0], reasonOf(listed.reason))];
  const known = listed.status === 'fulfilled' ? listed.value : { callsPerSecond: {} };
  const lambda =
    functions.status === 'fulfilled' ? judgeConcurrency(settings, known, concurrency) : unchecked(names[1], reasonOf(functions.reason));
  return [...rates, lambda, ...(needsSms ? [await check('SMS', () => judgeSms(account))] : [])];
}

export function judgeIdentity({ account, arn, isRoot }: Identity): Finding {
  if (!isRoot) return ok(`Account: ${account}, as ${arn}.`);
  return warning(`Account: ${account}, as its root user, who may do everything. Make another user: docs/deploy.md.`);
}

/** Whether anybody hears of alarms. */
export function judgeSubscribers({ subscribers, spendAlarmPerMonth }: Pick<Settings, 'subscribers' | 'spendAlarmPerMonth'>): Finding {
  const told = subscribers.filter(({ gets }) => gets === 'alarms').map(({ endpoint }) => endpoint);
  if (told.length > 0) return ok(`Alarms, and a bill above ${spendAlarmPerMonth} USD a month: ${told.join(', ')} will be told.`);
  return warning(
    'Alarms: nobody will be told when something is wrong or the bill grows. Add a subscriber of alarms to the settings: docs/deploy.md.',
  );
}

/** Whether Rekognition has an address in the region; null: that cannot be found out now. */
async function doesAnswer(region: string): Promise<boolean | null> {
  try {
    await lookup(`rekognition.${region}.amazonaws.com`);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ENOTFOUND' ? false : null;
  }
}

async function judgeSms({ sns }: Account): Promise<Finding> {
  const { IsInSandbox } = await sns.send(new GetSMSSandboxAccountStatusCommand({}));
  if (!IsInSandbox) return ok('SMS: the account may send to any number.');
  return warning(
    'SMS: the account is in the sandbox and reaches only numbers that were verified. Leave it in the SNS console: docs/deploy.md.',
  );
}

async function check(what: string, find: () => Promise<Finding>): Promise<Finding> {
  try {
    return await find();
  } catch (thrown) {
    return unchecked(what, reasonOf(thrown));
  }
}
