import type { PublishCommandInput } from '@aws-sdk/client-sns';
import type { LibraryId } from '../../shared/model/asset.ts';
import type { RuleId } from '../../shared/model/rule.ts';
import type { WaitingAlert } from './outbox.ts';

/** In place of a library, for what everybody should know who gets alerts: each subscriber's filter lets it through. No library has this name. */
export const everyLibrary = '*';

/**
 * Which messages a subscriber of a library gets, in SNS's language: about all of its rules (null) or the chosen ones, and what everybody should know. It is one
 * attribute, as SNS multiplies the numbers of values of several and takes no more than 150:
 * https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
 */
export function alertFilter(library: LibraryId, rules: readonly RuleId[] | null): string {
  const own = rules?.map((rule) => aboutRule(library, rule)) ?? [{ prefix: aboutRule(library, '') }];
  return JSON.stringify({ about: [...own, everyLibrary] });
}

const aboutRule = (library: string, rule: string) => `${library}/${rule}`;

/** Files named in a digest; the rest is only counted. */
const mostNamed = 20;
/** SNS takes up to 100 printable ASCII characters as a subject, and no line break. */
const subjectOf = (text: string) => text.replace(/[^ -~]+/g, '?').slice(0, 100);

/**
 * The message about one or several alerts of one rule: what subscribers read, and the attributes that their filters (`alertFilter`) use. An SMS gets a text
 * of its own, as each 140 bytes are paid for.
 */
export function alertMessage(alerts: readonly [WaitingAlert, ...WaitingAlert[]]): Omit<PublishCommandInput, 'TopicArn'> {
  const [{ library, rule }] = alerts;
  const { title, text } = alerts.length === 1 ? oneAlert(alerts[0]) : digest(alerts);
  const attribute = (StringValue: string) => ({ DataType: 'String', StringValue });
  return {
    Subject: subjectOf(`Pixwatch: ${title}`),
    MessageStructure: 'json',
    Message: JSON.stringify({ default: text, sms: `Pixwatch: ${title}` }),
    MessageAttributes: {
      about: attribute(library === everyLibrary ? everyLibrary : aboutRule(library, rule)),
      // By these filter the subscriptions that were made before there was `about`.
      library: attribute(library),
      rule: attribute(rule),
    },
  };
}

function oneAlert({ ruleName, because, file, alertId }: WaitingAlert) {
  const found = file === null ? because : `Found: ${because}\nFile: ${file}`;
  return { title: ruleName, text: `${ruleName}\n\n${found}\n\nAlert ${alertId}\n` };
}

function digest(alerts: readonly [WaitingAlert, ...WaitingAlert[]]) {
  const [{ ruleName }] = alerts;
  const title = `${ruleName} (${alerts.length} photos)`;
  const named = alerts.slice(0, mostNamed).map(({ file, because }) => `${file}: ${because}`);
  const rest = alerts.length > mostNamed ? [`… and ${alerts.length - mostNamed} more. Pixwatch lists them all under Alerts.`] : [];
  return { title, text: [title, '', ...named, ...rest, ''].join('\n') };
}
