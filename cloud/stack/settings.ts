import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { connectionFile } from '../../shared/connection.ts';
import { callRate, completeDetectors, detectorSwitches, type LimitedApi } from '../../shared/cost.ts';
import { InvalidInput, messageOf } from '../../shared/errors.ts';
import { pipelineSettings } from '../steps/backend.ts';

/** Everything about a deployment that a person may decide: the content of pixwatch.config.json. */

/** CloudWatch keeps logs for one of these, in days. */
const retentions = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653] as const;

const subscriber = v.variant('protocol', [
  strict({ protocol: v.literal('email'), endpoint: v.pipe(v.string(), v.email()), gets: v.picklist(['alerts', 'alarms']) }),
  strict({
    protocol: v.literal('sms'),
    endpoint: v.pipe(v.string(), v.regex(/^\+[1-9]\d{6,14}$/, 'must be a number like +15551234567')),
    gets: v.picklist(['alerts', 'alarms']),
  }),
]);

/** Null: as often as they like. */
const callsPerSecond = {
  DetectLabels: v.optional(callRate),
  DetectText: v.optional(callRate),
  DetectFaces: v.optional(callRate),
  DetectModerationLabels: v.optional(callRate),
  StartLabelDetection: v.optional(callRate),
  GetLabelDetection: v.optional(callRate),
} satisfies Record<LimitedApi, unknown>;

export const settings = strict({
  /** Names the stack and its parts; a second backend in the same account and region needs another. */
  name: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,30}$/, 'must be 1–31 small letters, digits and "-", a letter first')),
  region: connectionFile.entries.region,
  ...v.omit(pipelineSettings, ['priceRegion']).entries,
  detectors: v.optional(v.pipe(strict(detectorSwitches), completeDetectors), {}),
  /** What is not given is as often as the account's quotas allow: see quotas.ts. */
  callsPerSecond: v.optional(strict(callsPerSecond), {}),
  capPerMonth: v.optional(pipelineSettings.entries.capPerMonth.wrapped, 20),
  /**
   * In US dollars: who gets alarms is told when a month's bill of the whole account is higher. It stops nothing. The default is more than a family's
   * library of 80,000 photos and the default cap come to.
   */
  spendAlarmPerMonth: v.optional(v.pipe(v.number(), v.minValue(1)), 50),
  /** So many days after it was analysed an original moves to S3 Glacier Flexible Retrieval; null: never. What is only kept, or was rejected, stays: docs/costs.md. */
  archiveAfterDays: v.optional(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(36_500))), null),
  /** Who gets all libraries' alerts, or the alarms about the backend itself. A library's own subscribers are managed in the app. */
  subscribers: v.optional(v.array(subscriber), []),
  logRetentionDays: v.optional(v.picklist(retentions), 90),
  /** What becomes of photos, index and accounts when the stack is deleted. */
  removalPolicy: v.optional(v.picklist(['keep', 'destroy']), 'keep'),
  /** S3 writes who asked for which object into a bucket of logs. */
  accessLogs: v.optional(v.boolean(), true),
  /** CloudTrail records each access to an object; it costs 0.10 USD per 100,000 of them. */
  auditTrail: v.optional(v.boolean(), false),
});
export type Settings = v.InferOutput<typeof settings>;

/** An object in which a mistyped name is an error. */
function strict<const E extends v.ObjectEntries>(entries: E) {
  return v.strictObject(entries, (issue) =>
    issue.expected === 'never' ? `is no setting; there are ${Object.keys(entries).join(', ')}` : `must be given (${issue.expected})`,
  );
}

export const settingsPath = fileURLToPath(new URL('../../pixwatch.config.json', import.meta.url));

/**
 * Reads the settings of a deployment.
 * @throws InvalidInput that lists every setting that is wrong and what is allowed
 */
export function loadSettings(path = settingsPath): Settings {
  const result = v.safeParse(settings, parseJson(read(path), path));
  if (result.success) return result.output;
  const wrong = result.issues.map((issue) => `  ${v.getDotPath(issue) ?? 'the whole file'}: ${issue.message}`);
  throw new InvalidInput(`The settings in ${path} cannot be used:\n${wrong.join('\n')}`);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    throw new InvalidInput(`The settings in ${path} cannot be read: ${messageOf(thrown)}`, { cause: thrown });
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new InvalidInput(`The settings in ${path} are not JSON: ${messageOf(thrown)}`, { cause: thrown });
  }
}
