import { randomUUID } from 'node:crypto';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import * as v from 'valibot';
import { subscriptionDraft } from '../../shared/contract.ts';
import { InvalidInput } from '../../shared/errors.ts';
import { parse } from '../../shared/parse.ts';

/** The subset of SNS's filter policies that is understood: an attribute must have one of these very values, or begin so. */
const filterPolicy = v.record(
  v.string(),
  v.array(v.union([v.string(), v.strictObject({ prefix: v.string() })], 'only exact strings and prefixes are understood on this computer')),
);
/** As large as SNS takes one: https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html */
const newFilterPolicy = v.pipe(
  filterPolicy,
  v.check((policy) => {
    const counts = Object.values(policy).map(({ length }) => length);
    return counts.length <= 5 && counts.reduce((product, count) => product * count, 1) <= 150;
  }, 'is too complex: SNS takes five attributes, and the numbers of their values multiplied may not exceed 150'),
);

export interface Subscription {
  readonly arn: string;
  readonly topic: string;
  readonly protocol: 'email' | 'sms';
  readonly endpoint: string;
  /** JSON; null lets every message through. */
  readonly filterPolicy: string | null;
}

/** Topics and who subscribed to them, kept in SQLite. */
export interface Subscriptions {
  /** Does nothing when it exists. */
  addTopic(arn: string): void;
  topics(): string[];
  hasTopic(arn: string): boolean;
  /**
   * Answers the subscription that exists when there is one.
   * @param policy JSON; null: none is asked for, and one that exists may have any
   * @throws InvalidInput when the endpoint does not fit the protocol, is none that this computer knows, or is subscribed with another policy
   */
  subscribe(topic: string, protocol: string, endpoint: string, policy: string | null): Subscription;
  find(arn: string): Subscription | null;
  /** All of the topic, the oldest first. */
  of(topic: string): Subscription[];
  /**
   * @param policy JSON; '' removes it
   * @throws InvalidInput when it is none, is larger than SNS takes it, or uses more than exact values and prefixes
   */
  setFilterPolicy(arn: string, policy: string): void;
  /** Does nothing when there is none. */
  unsubscribe(arn: string): void;
}

export function createSubscriptions(sql: DatabaseSync): Subscriptions {
  const addTopic = sql.prepare('INSERT INTO topic (arn) VALUES (?) ON CONFLICT DO NOTHING');
  const topics = sql.prepare('SELECT arn FROM topic ORDER BY arn');
  // The update that changes nothing makes RETURNING answer the row that was there.
  const subscribe = sql.prepare(`
    INSERT INTO subscription (arn, topic, protocol, endpoint, filter_policy) VALUES (:arn, :topic, :protocol, :endpoint, :policy)
    ON CONFLICT (topic, protocol, endpoint) DO UPDATE SET endpoint = endpoint RETURNING *`);
  const find = sql.prepare('SELECT * FROM subscription WHERE arn = ?');
  const of = sql.prepare('SELECT * FROM subscription WHERE topic = ? ORDER BY n');
  const setFilterPolicy = sql.prepare('UPDATE subscription SET filter_policy = ? WHERE arn = ?');
  const unsubscribe = sql.prepare('DELETE FROM subscription WHERE arn = ?');

  return {
    addTopic: (arn) => void addTopic.run(arn),
    topics: () => topics.all().map((row) => String(row['arn'])),
    hasTopic: (arn) => topics.all().some((row) => row['arn'] === arn),
    subscribe(topic, protocol, endpoint, text) {
      const { rules: _, ...receiver } = parse(subscriptionDraft, { protocol, endpoint }, 'subscription');
      const policy = text === null ? null : policyOf(text);
      const found = toSubscription(subscribe.get({ arn: `${topic}:${randomUUID()}`, topic, ...receiver, policy }) ?? {});
      if (policy === null || policy === found.filterPolicy) return found;
      throw new InvalidInput('Invalid parameter: Attributes Reason: Subscription already exists with different attributes');
    },
    find(arn) {
      const row = find.get(arn);
      return row ? toSubscription(row) : null;
    },
    of: (topic) => of.all(topic).map(toSubscription),
    setFilterPolicy: (arn, policy) => void setFilterPolicy.run(policy === '' ? null : policyOf(policy), arn),
    unsubscribe: (arn) => void unsubscribe.run(arn),
  };
}

/** Whether a message with these attributes is for the subscription. */
export function wants({ filterPolicy: policy }: Subscription, attributes: ReadonlyMap<string, string>): boolean {
  if (policy === null) return true;
  return Object.entries(v.parse(filterPolicy, JSON.parse(policy))).every(([name, values]) => {
    const found = attributes.get(name);
    return found !== undefined && values.some((value) => (typeof value === 'string' ? found === value : found.startsWith(value.prefix)));
  });
}

/** A filter policy as it is kept: two that say the same are the same text. */
const policyOf = (text: string): string => JSON.stringify(parse(newFilterPolicy, parseJson(text), 'filter policy'));

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new InvalidInput('the filter policy is no JSON', { cause: thrown });
  }
}

function toSubscription(row: Record<string, SQLOutputValue>): Subscription {
  return {
    arn: String(row['arn']),
    topic: String(row['topic']),
    protocol: row['protocol'] === 'sms' ? 'sms' : 'email',
    endpoint: String(row['endpoint']),
    filterPolicy: row['filter_policy'] === null ? null : String(row['filter_policy']),
  };
}
