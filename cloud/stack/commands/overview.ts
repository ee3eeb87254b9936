import { emptyLibrary, forecast } from '../../../shared/forecast.ts';
import type { Settings } from '../settings.ts';
import { staysByPolicy, type Template } from './resources.ts';

/** What people call the parts that they may want to know of, in the order in which they are told. */
const kinds: Readonly<Record<string, readonly [one: string, many: string]>> = {
  'AWS::S3::Bucket': ['bucket', 'buckets'],
  'AWS::DynamoDB::GlobalTable': ['table', 'tables'],
  'AWS::Cognito::UserPool': ['user pool (who may sign in)', 'user pools (who may sign in)'],
  'AWS::Cognito::IdentityPool': ['identity pool (whose library is whose)', 'identity pools (whose library is whose)'],
  'AWS::StepFunctions::StateMachine': ['state machine', 'state machines'],
  'AWS::Lambda::Function': ['function', 'functions'],
  'AWS::SQS::Queue': ['queue', 'queues'],
  'AWS::SNS::Topic': ['topic', 'topics'],
  'AWS::Scheduler::Schedule': ['timer', 'timers'],
  'AWS::Events::Rule': ['rule for events', 'rules for events'],
  'AWS::IAM::Role': ['role', 'roles'],
  'AWS::Logs::LogGroup': ['log', 'logs'],
  'AWS::CloudTrail::Trail': ['audit trail', 'audit trails'],
  'AWS::CloudWatch::Alarm': ['alarm', 'alarms'],
  'AWS::CloudWatch::Dashboard': ['dashboard', 'dashboards'],
  'AWS::Budgets::Budget': ['budget', 'budgets'],
};

/** What deploying to an empty account would make, what of it costs money while nobody uses it, and what stays when it is removed. @returns lines */
export function overviewOf({ Resources }: Template, { name, region, detectors, archiveAfterDays, removalPolicy }: Settings): string[] {
  const all = Object.values(Resources);
  const kept = all.filter(({ DeletionPolicy }) => staysByPolicy(DeletionPolicy));
  return [
    `Deploying ${name} to ${region} would make ${all.length} things:`,
    ...countsOf(all),
    'While nobody uses it, each month, in US dollars without free tiers and tax:',
    ...idleLines({ region, detectors, archiveAfterDays }),
    ...(kept.length > 0
      ? [`With removalPolicy ${removalPolicy} these stay when it is removed:`, ...countsOf(kept)]
      : [`With removalPolicy ${removalPolicy} nothing stays when it is removed: photos, index and accounts go with it.`]),
  ];
}

function countsOf(resources: readonly { readonly Type: string }[]): string[] {
  const counted = Object.entries(kinds).flatMap(([type, [one, many]]) => {
    const count = resources.filter(({ Type }) => Type === type).length;
    return count === 0 ? [] : [`  ${count} ${count === 1 ? one : many}`];
  });
  const rest = resources.filter(({ Type }) => !(Type in kinds)).length;
  return rest === 0 ? counted : [...counted, `  ${rest} that connect these, or say who may use them`];
}

function idleLines(settings: Parameters<typeof forecast>[1]): string[] {
  const { monthly, isGuess, priceDate } = forecast(emptyLibrary, settings);
  const line = (what: string, usd: number) => `  ${usd.toFixed(2).padStart(6)}  ${what}`;
  const prices = isGuess ? `the dearest prices known (${priceDate}), as those of ${settings.region} are not` : `prices of ${priceDate}`;
  return [...monthly.lines.map(({ service, usd }) => line(service, usd)), line(`in all, by ${prices}`, monthly.usd)];
}
