import { Duration } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { callPrice, dollars, type PaidApi, paidApis } from '../../shared/cost.ts';
import type { Queues } from './queues.ts';
import type { Settings } from './settings.ts';
import type { Video } from './video.ts';

/** What is watched. */
export interface Observed {
  readonly queues: Queues;
  readonly video: Video;
  readonly stateMachine: StateMachine;
  /** Of the state machine. */
  readonly steps: readonly NodejsFunction[];
  /** Functions that a timer calls. */
  readonly timed: readonly NodejsFunction[];
  readonly alarms: Topic;
}

const period = Duration.minutes(5);

/**
 * One dashboard and few alarms. Free in an account are three dashboards of at most 50 metrics each, and ten metrics that alarms look at, however many
 * alarms these are (https://aws.amazon.com/cloudwatch/pricing/). shared/forecast.ts says the same numbers.
 */
export class Observability extends Construct {
  constructor(scope: Construct, id: string, settings: Settings, observed: Observed) {
    super(scope, id);
    const { queues, video, stateMachine, timed } = observed;
    const toTopic = new SnsAction(observed.alarms);
    const alarm = (name: string, metric: IMetric, threshold: number, alarmDescription: string, evaluationPeriods = 1) => {
      const created = new Alarm(this, name, {
        alarmDescription,
        metric,
        threshold,
        evaluationPeriods,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      });
      created.addAlarmAction(toTopic);
    };
    alarm(
      'DeadLetters',
      deadLettersOf(queues),
      1,
      'Photos could not be processed and wait in the dead letters. The app says why and can try again.',
    );
    alarm(
      'VideoDeadLetters',
      deadLettersOf(video),
      1,
      'Answers about videos could not be taken up. Their executions ask again after some hours; docs/deploy.md says how to be quicker.',
    );
    // What timed out or was aborted is tried again as well, and becomes a dead letter.
    alarm(
      'FailedExecutions',
      stateMachine.metricFailed({ period }),
      10,
      'Many executions failed. Each is tried three times by itself; look at the dashboard.',
    );
    alarm('OldestMessage', ageOf(queues), 900, 'Photos wait in the inbox queue for more than 15 minutes: they are not dispatched.', 2);
    alarm(
      'Throttled',
      throttled,
      100,
      'Rekognition refuses calls as too many. Lower callsPerSecond in the settings, or ask AWS for a higher quota.',
      3,
    );
    alarm(
      'Timer',
      errorsOf(timed),
      3,
      'What happens each minute fails: alerts are not sent, or photos that wait for budget are not taken up.',
      2,
    );
    createBudgets(this, settings, observed.alarms);
    createDashboard(this, settings, observed);
  }
}

const errorsOf = (functions: readonly NodejsFunction[]) =>
  sumOf(
    'timer errors',
    functions.map((each) => each.metricErrors({ period, statistic: Stats.SUM })),
  );
const deadLettersOf = ({ deadLetters }: Queues | Video) =>
  deadLetters.metricApproximateNumberOfMessagesVisible({ period, statistic: Stats.MAXIMUM });
const ageOf = ({ inbox }: Queues) => inbox.metricApproximateAgeOfOldestMessage({ period, statistic: Stats.MAXIMUM });
const failedOf = (stateMachine: StateMachine) =>
  sumOf('failed', [stateMachine.metricFailed(), stateMachine.metricTimedOut(), stateMachine.metricAborted()]);

const apis = Object.keys(paidApis) as PaidApi[];
const imageApis = apis.filter((api) => paidApis[api].unit === 'image');
const rekognition = (metricName: string, of: readonly PaidApi[]) =>
  of.map(
    (Operation) => new Metric({ namespace: 'AWS/Rekognition', metricName, dimensionsMap: { Operation }, statistic: Stats.SUM, period }),
  );
/** Not of videos: a job too many is refused for the jobs that run, not for the calls in a second. */
const throttled = sumOf('throttled', rekognition('ThrottledCount', imageApis));
/** All APIs for images have one price. Videos are billed by the minute, which no metric counts. */
const spentIn = (region: string) => {
  const price = dollars(callPrice('DetectLabels', region));
  return sumOf('USD', rekognition('SuccessfulRequestCount', imageApis), (sum) => `RUNNING_SUM((${sum}) * ${price})`);
};

/** A metric that has no data counts as 0. @param of makes an expression of that of the sum */
function sumOf(label: string, metrics: readonly IMetric[], of = (sum: string) => sum): MathExpression {
  const named = metrics.map((metric, i) => [`m${i}`, metric] as const);
  return new MathExpression({
    expression: of(named.map(([name]) => `FILL(${name}, 0)`).join(' + ')),
    usingMetrics: Object.fromEntries(named),
    period,
    label,
  });
}

/** AWS's own count of what is spent, which stops nothing and is some hours late, beside ours, which stops calls before. Budgets that only tell are free. */
function createBudgets(scope: Construct, { spendAlarmPerMonth, capPerMonth }: Settings, alarms: Topic): void {
  const budget = (id: string, amount: number, costFilters?: { Service: string[] }) =>
    new CfnBudget(scope, id, {
      budget: { budgetType: 'COST', timeUnit: 'MONTHLY', budgetLimit: { amount, unit: 'USD' }, ...(costFilters && { costFilters }) },
      notificationsWithSubscribers: [
        {
          notification: { notificationType: 'ACTUAL', comparisonOperator: 'GREATER_THAN', threshold: 100, thresholdType: 'PERCENTAGE' },
          subscribers: [{ subscriptionType: 'SNS', address: alarms.topicArn }],
        },
      ],
    });
  // Of all services: tags would tell ours from others only after somebody activated them in the account's billing.
  budget('Spend', spendAlarmPerMonth);
  // Zero is no budget for AWS.
  if (capPerMonth !== null) budget('Cap', Math.max(1, capPerMonth), { Service: ['Amazon Rekognition'] });
}

function createDashboard(scope: Construct, { name, region }: Settings, { queues, video, stateMachine, steps }: Observed): void {
  const graph = (title: string, left: IMetric[], right: IMetric[] = []) => new GraphWidget({ title, left, right, width: 12, period });
  const { inbox } = queues;
  // The dashboards of all regions of an account share their names.
  new Dashboard(scope, 'Dashboard', { dashboardName: `${name}-${region}` }).addWidgets(
    graph('Executions', [stateMachine.metricStarted({ period }), stateMachine.metricSucceeded({ period }), failedOf(stateMachine)]),
    graph(
      'Waiting',
      [inbox.metricApproximateNumberOfMessagesVisible({ period }), deadLettersOf(queues), deadLettersOf(video)],
      [ageOf(queues)],
    ),
    graph('Calls of Rekognition', rekognition('SuccessfulRequestCount', apis), [throttled]),
    graph('Spent on photos since the left edge, by list price', [spentIn(region)]),
    graph('Length of an execution', [
      stateMachine.metricTime({ period, statistic: Stats.percentile(50) }),
      stateMachine.metricTime({ period, statistic: Stats.percentile(99) }),
    ]),
    graph(
      'Errors of each step',
      steps.map((of) => of.metricErrors({ period, statistic: Stats.SUM, label: of.node.id })),
    ),
    graph(
      'All functions of the account and region',
      [LambdaFunction.metricAllErrors({ period }), LambdaFunction.metricAllThrottles({ period })],
      [LambdaFunction.metricAllConcurrentExecutions({ period })],
    ),
  );
}
