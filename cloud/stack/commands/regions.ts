import { type PaidApi, paidApis } from '../../../shared/cost.ts';
import type { Settings } from '../settings.ts';
import { type Finding, missing, ok } from './findings.ts';

/** Where Rekognition is. Source: https://docs.aws.amazon.com/general/latest/gr/rekognition.html, as read on this date. */
const asOf = '2026-11-27';
const regions = [
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-south-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'ap-southeast-5',
  'ap-southeast-7',
  'ca-central-1',
  'eu-central-1',
  'eu-south-2',
  'eu-west-1',
  'eu-west-2',
  'il-central-1',
  'sa-east-1',
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
];
/** Regions that have only some of its APIs. */
const onlyThere: Readonly<Record<string, readonly PaidApi[]>> = {
  'ca-central-1': ['DetectFaces'],
  'il-central-1': ['DetectFaces', 'DetectLabels', 'DetectModerationLabels', 'DetectText'],
};

/** APIs that the settings have switched on. */
export const usedApis = ({ detectors }: Pick<Settings, 'detectors'>): PaidApi[] =>
  (Object.keys(paidApis) as PaidApi[]).filter((api) => detectors[paidApis[api].detector]);

/**
 * Whether the region has what the settings switch on.
 * @param answers whether Rekognition's endpoint there has an address; null: that could not be found out
 */
export function judgeRegion(settings: Pick<Settings, 'region' | 'detectors'>, answers: boolean | null): Finding {
  const { region } = settings;
  const there = onlyThere[region];
  const lacking = there ? usedApis(settings).filter((api) => paidApis[api].unit === 'image' && !there.includes(api)) : [];
  if (lacking.length > 0) {
    return missing(`Region: ${region} has no ${lacking.join(', ')} (${asOf}). Choose another region, or switch these detectors off.`);
  }
  // In other partitions (China, GovCloud) names of resources begin otherwise than in pipeline.asl.json.
  if (/^(cn|us-gov|us-iso\w*|eu-isoe|eusc)-/.test(region))
    return missing(`Region: Pixwatch cannot be deployed in ${region}. Choose one of ${regions.join(', ')}.`);
  if (regions.includes(region)) return ok(`Region: ${region} has Rekognition${answers ? ', and it answers' : ` (as of ${asOf})`}.`);
  if (answers) return ok(`Region: ${region} was not known to have Rekognition on ${asOf}, but it answers.`);
  return missing(`Region: ${region} has no Rekognition (as of ${asOf}). Choose one of ${regions.join(', ')}.`);
}
