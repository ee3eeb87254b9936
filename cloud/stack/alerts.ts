import { Aws, Validations } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Alias } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription, SmsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { Settings } from './settings.ts';

/** Two topics, as whom a photo concerns is not whom a broken backend concerns. */
export class Alerts extends Construct {
  /** What rules found. Each library's subscribers are added by the app, filtered to their library. */
  readonly alerts: Topic;
  /** What is wrong with the backend or its bill, for whoever deployed it. */
  readonly alarms: Topic;

  constructor(scope: Construct, id: string, { subscribers }: Settings) {
    super(scope, id);
    // SNS's own key is free. CloudWatch and Budgets could not publish with it, and what they say holds nothing of the photos.
    const masterKey = Alias.fromAliasName(this, 'SnsKey', 'alias/aws/sns');
    this.alerts = new Topic(this, 'Alerts', { enforceSSL: true, displayName: 'Pixwatch', masterKey });
    this.alarms = new Topic(this, 'Alarms', { enforceSSL: true, displayName: 'Pixwatch' });
    for (const service of ['cloudwatch', 'budgets']) {
      const publisher = new ServicePrincipal(`${service}.amazonaws.com`);
      this.alarms.grantPublish(publisher.withConditions({ StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } }));
    }
    Validations.of(this.alarms).acknowledge({
      id: 'AwsSolutions-SNS2',
      reason: 'CloudWatch cannot publish to a topic under SNS’s own key, and a key of ours would cost 1 USD a month to hide alarm texts.',
    });
    for (const { protocol, endpoint, gets } of subscribers) {
      this[gets].addSubscription(protocol === 'email' ? new EmailSubscription(endpoint) : new SmsSubscription(endpoint));
    }
  }
}
