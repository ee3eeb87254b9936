import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { InvalidInput } from '../../shared/errors.ts';
import { parse } from '../../shared/parse.ts';
import type { Database } from './database.ts';
import type { Emails } from './emails.ts';
import { type Service, ServiceError } from './gateway/service.ts';
import { toXml, type XmlContent } from './gateway/xml.ts';
import { account, topicArn } from './names.ts';
import { type Subscription, type Subscriptions, wants } from './subscriptions.ts';

export interface SnsOptions {
  readonly database: Database;
  readonly subscriptions: Subscriptions;
  readonly emails: Emails;
  /** Gets one line for each subscription that cannot be served. */
  log(line: string): void;
}

type Operation = (form: unknown) => Promise<XmlContent>;

const namespace = 'http://sns.amazonaws.com/doc/2010-03-31/';
/** SNS's own limit for a message, in bytes. In the form each may be written as three characters. */
const maxMessageBytes = 262_144;
const pageSize = 100;

/**
 * The SNS service: e-mail subscribers get what is published once their mail server takes it. A subscription needs no confirmation, as
 * only the owner of this computer's Pixwatch and those whom it lets in can make one. SMS subscribers are kept, but this computer cannot send SMS.
 */
export function createSns(options: SnsOptions): Service {
  const operations: ReadonlyMap<string, Operation> = new Map(
    Object.entries({ ...topicOperations(options), ...subscriptionOperations(options), Publish: publish(options) }),
  );
  return async (request, response) => {
    const form = unflatten((await request.readBody(4 * maxMessageBytes)).toString());
    const name = String(form['Action']);
    const operation = operations.get(name);
    if (!operation) throw new ServiceError('InvalidAction', `The local cloud has no SNS operation ${JSON.stringify(name)}.`);
    const result = await operation(form).catch((thrown: unknown) => {
      throw thrown instanceof InvalidInput ? new ServiceError('InvalidParameter', thrown.message, 400, { cause: thrown }) : thrown;
    });
    response.setHeader('content-type', 'text/xml');
    response.end(toXml(`${name}Response`, { [`${name}Result`]: result, ResponseMetadata: { RequestId: request.id } }, namespace));
  };
}

const topicInput = v.object({ TopicArn: v.string() });
const subscriptionInput = v.object({ SubscriptionArn: v.string() });

function topicOperations({ subscriptions }: SnsOptions): Record<string, Operation> {
  return {
    CreateTopic: operation(
      v.object({ Name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,256}$/, 'is no topic name')) }),
      async ({ Name }) => {
        subscriptions.addTopic(topicArn(Name));
        return { TopicArn: topicArn(Name) };
      },
    ),
    ListTopics: operation(v.object({}), async () => ({ Topics: { member: subscriptions.topics().map((TopicArn) => ({ TopicArn })) } })),
  };
}

function subscriptionOperations({ subscriptions }: SnsOptions): Record<string, Operation> {
  return {
    Subscribe: operation(
      v.object({
        ...topicInput.entries,
        Protocol: v.string(),
        Endpoint: v.string(),
        Attributes: entries(v.object({ key: v.string(), value: v.string() })),
      }),
      async ({ TopicArn, Protocol, Endpoint, Attributes }) => {
        assertTopic(subscriptions, TopicArn);
        for (const { key } of Attributes) requireKnown(key);
        const { arn } = subscriptions.subscribe(TopicArn, Protocol, Endpoint, Attributes[0]?.value ?? null);
        return { SubscriptionArn: arn };
      },
    ),
    Unsubscribe: operation(subscriptionInput, async ({ SubscriptionArn }) => {
      subscriptions.unsubscribe(SubscriptionArn);
      return {};
    }),
    ListSubscriptionsByTopic: operation(
      v.object({ ...topicInput.entries, NextToken: v.optional(v.pipe(v.string(), v.digits('is no token')), '0') }),
      async ({ TopicArn, NextToken }) => {
        assertTopic(subscriptions, TopicArn);
        const all = subscriptions.of(TopicArn);
        const end = Number(NextToken) + pageSize;
        return {
          Subscriptions: { member: all.slice(Number(NextToken), end).map(describe) },
          NextToken: end < all.length ? end : undefined,
        };
      },
    ),
    SetSubscriptionAttributes: operation(
      v.object({ ...subscriptionInput.entries, AttributeName: v.string(), AttributeValue: v.optional(v.string(), '') }),
      async ({ SubscriptionArn, AttributeName, AttributeValue }) => {
        requireKnown(AttributeName);
        subscriptions.setFilterPolicy(find(subscriptions, SubscriptionArn).arn, AttributeValue);
        return {};
      },
    ),
    GetSubscriptionAttributes: operation(subscriptionInput, async ({ SubscriptionArn }) => {
      const found = find(subscriptions, SubscriptionArn);
      const attributes = {
        ...describe(found),
        PendingConfirmation: 'false',
        ...(found.filterPolicy && { FilterPolicy: found.filterPolicy }),
      };
      return { Attributes: { entry: Object.entries(attributes).map(([key, value]) => ({ key, value })) } };
    }),
  };
}

const publishInput = v.object({
  ...topicInput.entries,
  Message: v.pipe(v.string(), v.minLength(1), v.maxBytes(maxMessageBytes)),
  Subject: v.optional(v.pipe(v.string(), v.maxLength(100), v.regex(/^\P{Cc}+$/u, 'must be one line of text'))),
  MessageStructure: v.optional(v.literal('json')),
  MessageAttributes: entries(
    v.object({ Name: v.string(), Value: v.object({ DataType: v.string(), StringValue: v.optional(v.string(), '') }) }),
  ),
});

function publish({ database, subscriptions, emails, log }: SnsOptions): Operation {
  const told = new Set<string>();
  const refuseSms = ({ arn, endpoint }: Subscription) => {
    if (!told.has(arn)) log(`Alerts for ${endpoint} are not sent: this computer cannot send SMS. Use e-mail, or Pixwatch on AWS.`);
    told.add(arn);
  };

  return operation(publishInput, async ({ TopicArn, Message, Subject, MessageStructure, MessageAttributes }) => {
    assertTopic(subscriptions, TopicArn);
    const messageId = randomUUID();
    const attributes = new Map(MessageAttributes.map(({ Name, Value }) => [Name, Value.StringValue]));
    const body = MessageStructure === 'json' ? emailText(Message) : Message;
    for (const subscription of subscriptions.of(TopicArn).filter((each) => wants(each, attributes))) {
      if (subscription.protocol === 'sms') refuseSms(subscription);
      else emails.add({ messageId, recipient: subscription.endpoint, subject: Subject ?? 'Message from Pixwatch', body });
    }
    await database.flush();
    return { MessageId: messageId };
  });
}

/** What of a message with a text for each protocol is meant for e-mail. */
function emailText(message: string): string {
  let texts: unknown;
  try {
    texts = JSON.parse(message);
  } catch (thrown) {
    throw new InvalidInput('Message: is no JSON although MessageStructure says so', { cause: thrown });
  }
  const { email, default: fallback } = parse(v.object({ default: v.string(), email: v.optional(v.string()) }), texts, 'Message');
  return email ?? fallback;
}

const operation =
  <S extends v.GenericSchema>(schema: S, run: (input: v.InferOutput<S>) => Promise<XmlContent>): Operation =>
  async (form) =>
    run(parse(schema, form, 'request'));

/** The Query protocol's lists: `{entry: {1: …, 2: …}}`. */
function entries<S extends v.GenericSchema>(entry: S) {
  const list = v.pipe(
    v.object({ entry: v.record(v.string(), entry) }),
    v.transform((list) => Object.values(list.entry)),
  );
  return v.optional(list, { entry: {} });
}

interface Form {
  [name: string]: string | Form;
}

/** A form of the Query protocol as an object: `A.entry.1.key=x` is `{A: {entry: {1: {key: 'x'}}}}`. */
function unflatten(text: string): Form {
  const form: Form = Object.create(null);
  for (const [path, value] of new URLSearchParams(text)) {
    const names = path.split('.');
    let at = form;
    for (const name of names.slice(0, -1)) {
      const inner = at[name];
      const next: Form = typeof inner === 'object' ? inner : Object.create(null);
      at[name] = next;
      at = next;
    }
    at[names.at(-1) ?? ''] = value;
  }
  return form;
}

function assertTopic(subscriptions: Subscriptions, arn: string): void {
  if (!subscriptions.hasTopic(arn)) throw new ServiceError('NotFound', `Topic does not exist: ${arn}`, 404);
}

function find(subscriptions: Subscriptions, arn: string): Subscription {
  const found = subscriptions.find(arn);
  if (!found) throw new ServiceError('NotFound', `Subscription does not exist: ${arn}`, 404);
  return found;
}

function requireKnown(attribute: string): void {
  if (attribute !== 'FilterPolicy') throw new InvalidInput(`the local cloud knows the attribute FilterPolicy only, not ${attribute}`);
}

function describe({ arn, topic, protocol, endpoint }: Subscription) {
  return { SubscriptionArn: arn, TopicArn: topic, Protocol: protocol, Endpoint: endpoint, Owner: account };
}
