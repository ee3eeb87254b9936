import type { PublishCommandInput } from '@aws-sdk/client-sns';
import type { WaitingAlert } from './outbox.ts';

/** Files named in a digest; the rest is only counted. */
const mostNamed = 20;
/** SNS takes up to 100 printable ASCII characters as a subject, and no line break. */
const subjectOf = (text: string) => text.replace(/[^ -~]+/g, '?').slice(0, 100);

/**
 * The message about one or several alerts of one rule: what subscribers read, and the attributes that their filters can use. An SMS gets a text
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
    MessageAttributes: { library: attribute(library), rule: attribute(rule) },
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
