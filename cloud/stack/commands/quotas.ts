import {
  paginateListAWSDefaultServiceQuotas,
  paginateListServiceQuotas,
  type ServiceQuota,
  type ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import type { PaidApi } from '../../../shared/cost.ts';
import type { Settings } from '../settings.ts';
import { type Finding, ok, unchecked, warning } from './findings.ts';
import { usedApis } from './regions.ts';

/** How often a second each API of Rekognition may be called. */
export type Rates = ReadonlyMap<PaidApi, number>;

/** The account's own quotas, and the defaults of those it has no own value of. */
export async function loadRates(client: ServiceQuotasClient, apis: readonly PaidApi[]): Promise<Rates> {
  const all: ServiceQuota[] = [];
  const input = { ServiceCode: 'rekognition' };
  for await (const { Quotas = [] } of paginateListAWSDefaultServiceQuotas({ client }, input)) all.push(...Quotas);
  for await (const { Quotas = [] } of paginateListServiceQuotas({ client }, input)) all.push(...Quotas);
  return ratesOf(all, apis);
}

/** The later of two with the same name counts. Names are texts that hold the API's, e.g. `Transactions per second … DetectLabels`. */
export function ratesOf(quotas: readonly Pick<ServiceQuota, 'QuotaName' | 'Value'>[], apis: readonly PaidApi[]): Rates {
  const rates = new Map<PaidApi, number>();
  for (const { QuotaName = '', Value } of quotas) {
    const api = apis.find((each) => new RegExp(`\\b${each}\\b`).test(QuotaName));
    if (api !== undefined && Value !== undefined && /per second|TPS/i.test(QuotaName)) rates.set(api, Value);
  }
  return rates;
}

/** Compares the settings with what the account allows. */
export function judgeRates(settings: Pick<Settings, 'detectors' | 'callsPerSecond'>, rates: Rates): Finding[] {
  return usedApis(settings).map((api) => {
    const wanted = settings.callsPerSecond[api];
    const allowed = rates.get(api);
    const name = `Quota of ${api}`;
    if (allowed === undefined) return unchecked(name, 'Service Quotas does not list it.');
    const advice = `Set callsPerSecond.${api} to ${allowed}`;
    if (wanted === null) return warning(`${name}: the account allows ${allowed} calls a second, and the settings set no limit. ${advice}.`);
    if (wanted > allowed)
      return warning(`${name}: the settings want ${wanted} calls a second, the account allows ${allowed}. ${advice}, or ask AWS for more.`);
    const hint = wanted < allowed ? ` ${advice} to be faster.` : '';
    return ok(`${name}: ${wanted} calls a second, and the account allows ${allowed}.${hint}`);
  });
}

/** Of Lambda a photo takes so many seconds, all its steps together: docs/deploy.md. */
export const secondsPerPhoto = 5.5;

/** @param limit functions that may run at the same time in the account */
export function judgeConcurrency({ detectors, callsPerSecond }: Pick<Settings, 'detectors' | 'callsPerSecond'>, limit: number): Finding {
  const rates = usedApis({ detectors }).flatMap((api) => callsPerSecond[api] ?? []);
  const photos = rates.length > 0 ? Math.min(...rates) : 50;
  const needed = Math.ceil(photos * secondsPerPhoto);
  const at = `${photos} photos a second need some ${needed} functions at a time`;
  if (limit >= needed) return ok(`Quota of Lambda: ${at}, and the account allows ${limit}.`);
  return warning(`Quota of Lambda: ${at}, the account allows ${limit}. Ask for more (Service Quotas, AWS Lambda, Concurrent executions).`);
}
