import { GetAccountSettingsCommand } from '@aws-sdk/client-lambda';
import {
  paginateListAWSDefaultServiceQuotas,
  paginateListServiceQuotas,
  type ServiceQuota,
  type ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import { type LimitedApi, type PaidApi, paidApis } from '../../../shared/cost.ts';
import { defaultQuotas, type Quotas, quotasContext, secondsPerPhoto, withQuotas } from '../quotas.ts';
import type { Settings } from '../settings.ts';
import { type Account, reasonOf } from './account.ts';
import { type Finding, ok, unchecked, warning } from './findings.ts';
import { usedApis } from './regions.ts';

/** What Service Quotas says of Rekognition; what it does not list is absent. */
export interface Listed {
  readonly callsPerSecond: Partial<Quotas['callsPerSecond']>;
  /** Videos that are looked at at a time. */
  readonly jobs?: number;
}

/** The account's own quotas, and the defaults of those it has no own value of. */
export async function loadListed(client: ServiceQuotasClient): Promise<Listed> {
  const all: ServiceQuota[] = [];
  const input = { ServiceCode: 'rekognition' };
  for await (const { Quotas = [] } of paginateListAWSDefaultServiceQuotas({ client }, input)) all.push(...Quotas);
  for await (const { Quotas = [] } of paginateListServiceQuotas({ client }, input)) all.push(...Quotas);
  return listedOf(all);
}

/** The later of two with the same name counts. Names are texts that hold the API's, e.g. `Transactions per second … DetectLabels`. */
export function listedOf(quotas: readonly Pick<ServiceQuota, 'QuotaName' | 'Value'>[]): Listed {
  const apis = Object.keys(defaultQuotas('').callsPerSecond) as LimitedApi[];
  const callsPerSecond: Partial<Record<LimitedApi, number>> = {};
  let jobs: number | undefined;
  for (const { QuotaName = '', Value } of quotas) {
    const api = apis.find((each) => new RegExp(`\\b${each}\\b`).test(QuotaName));
    if (api !== undefined && Value !== undefined && /per second|TPS/i.test(QuotaName)) callsPerSecond[api] = Value;
    if (/concurrent.*stored video jobs/i.test(QuotaName)) jobs = Value ?? jobs;
  }
  return { callsPerSecond, ...(jobs !== undefined && { jobs }) };
}

/** How many functions of Lambda may run at a time in the account. */
export async function loadConcurrency({ lambda, region }: Account): Promise<number> {
  const { AccountLimit } = await lambda.send(new GetAccountSettingsCommand({}));
  return AccountLimit?.UnreservedConcurrentExecutions ?? AccountLimit?.ConcurrentExecutions ?? defaultQuotas(region).functions;
}

/** What the CDK's app is told of an account: its quotas, or AWS's defaults where they cannot be read, which is said. */
export async function quotaArguments(account: Account, settings: Settings): Promise<string[]> {
  const { callsPerSecond, functions } = defaultQuotas(settings.region);
  const orDefault = async <T>(what: string, loaded: Promise<T>, fallback: T): Promise<T> => {
    try {
      return await loaded;
    } catch (thrown) {
      console.error(`${what} cannot be read (${reasonOf(thrown)}): AWS's defaults are taken.`);
      return fallback;
    }
  };
  const [listed, concurrency] = await Promise.all([
    orDefault<Listed>('Quotas of Rekognition', loadListed(account.quotas), { callsPerSecond: {} }),
    orDefault('The quota of Lambda', loadConcurrency(account), functions),
  ]);
  const quotas: Quotas = { callsPerSecond: { ...callsPerSecond, ...listed.callsPerSecond }, functions: concurrency };
  const rates = Object.entries(withQuotas(settings, quotas).callsPerSecond).map(
    ([api, rate]) => `${api} ${rate ?? 'as often as it likes'}`,
  );
  console.log(`Calls of Rekognition a second, at most: ${rates.join(', ')}.`);
  return ['--context', `${quotasContext}=${JSON.stringify(quotas)}`];
}

/** Says how often each API that is switched on will be called, and compares what the settings want with what the account allows. */
export function judgeRates(settings: Settings, listed: Listed, functions: number): Finding[] {
  const defaults = defaultQuotas(settings.region).callsPerSecond;
  const quotas = { callsPerSecond: { ...defaults, ...listed.callsPerSecond }, functions };
  const used: LimitedApi[] = [...usedApis(settings), ...(settings.detectors.videoLabels ? (['GetLabelDetection'] as const) : [])];
  return used.map((api) => {
    const allowed = listed.callsPerSecond[api];
    const name = `Quota of ${api}`;
    if (allowed === undefined) return unchecked(name, `Service Quotas does not list it. AWS's default is ${defaults[api]} calls a second.`);
    return judgeRate(name, { api, allowed, wanted: settings.callsPerSecond[api], made: withQuotas(settings, quotas).callsPerSecond[api] });
  });
}

interface Rate {
  readonly api: LimitedApi;
  readonly allowed: number;
  /** By the settings; absent: as often as the account allows. */
  readonly wanted: number | null | undefined;
  readonly made: number | null;
}

function judgeRate(name: string, { api, allowed, wanted, made }: Rate): Finding {
  const advice = `Leave callsPerSecond.${api} out of the settings`;
  if (wanted === undefined) {
    const why = made !== null && made < allowed ? `, of which ${made} are made, as the account's functions take no more` : '';
    return ok(`${name}: the account allows ${allowed} calls a second${why}.`);
  }
  if (wanted === null) return warning(`${name}: the account allows ${allowed} calls a second, and the settings set no limit. ${advice}.`);
  if (wanted > allowed)
    return warning(`${name}: the settings want ${wanted} calls a second, the account allows ${allowed}. ${advice}, or ask AWS for more.`);
  const hint = wanted < allowed ? ` ${advice} to be faster.` : '';
  return ok(`${name}: ${wanted} calls a second, and the account allows ${allowed}.${hint}`);
}

/** Those beyond it Rekognition refuses; they are tried again for as long as it takes. */
export function judgeJobs({ detectors }: Pick<Settings, 'detectors'>, { jobs }: Listed): Finding[] {
  if (!detectors.videoLabels) return [];
  const name = 'Quota of videos';
  if (jobs === undefined) return [unchecked(name, "Service Quotas does not list it. AWS's default is 20 at a time.")];
  return [ok(`${name}: ${jobs} are looked at at a time in the account; others wait.`)];
}

/** @param functions that may run at the same time in the account */
export function judgeConcurrency(settings: Settings, { callsPerSecond }: Listed, functions: number): Finding {
  const quotas = { ...defaultQuotas(settings.region).callsPerSecond, ...callsPerSecond };
  const images = usedApis(settings).filter((api: PaidApi) => paidApis[api].unit === 'image');
  const rates = images.map((api) => settings.callsPerSecond[api] ?? quotas[api]);
  if (rates.length === 0) return ok(`Quota of Lambda: the account allows ${functions} functions at a time.`);
  const photos = Math.min(...rates);
  const needed = Math.ceil(photos * secondsPerPhoto);
  const at = `${photos} photos a second, as Rekognition takes them, need some ${needed} functions at a time`;
  if (functions >= needed) return ok(`Quota of Lambda: ${at}, and the account allows ${functions}.`);
  return warning(
    `Quota of Lambda: ${at}, the account allows ${functions}. Ask for more (Service Quotas, AWS Lambda, Concurrent executions), then deploy again.`,
  );
}
