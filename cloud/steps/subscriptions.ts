import {
  GetSubscriptionAttributesCommand,
  SetSubscriptionAttributesCommand,
  SubscribeCommand,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { type Subscription, type SubscriptionDraft, subscription } from '../../shared/contract.ts';
import { InvalidInput } from '../../shared/errors.ts';
import {
  endedSubscriptionItem,
  endedSubscriptionsPartition,
  type ItemKey,
  subscriptionItem,
  subscriptionsPartition,
} from '../../shared/keys.ts';
import type { LibraryId } from '../../shared/model/asset.ts';
import { parse } from '../../shared/parse.ts';
import { alertFilter } from './alertMessage.ts';
import type { Backend } from './backend.ts';
import { itemsOf } from './table.ts';

/**
 * Who gets a library's alerts. All libraries share one topic: each subscription is filtered to its library and the rules it is for, and an item says whose it is,
 * as SNS does not list filters, nor who a subscription waiting for confirmation belongs to.
 */

const stored = v.omit(subscription, ['pending']);

/** Where a library's alerts go. One that was ended from outside, as by the link in an e-mail, is forgotten. */
export async function listSubscriptions(backend: Backend, library: LibraryId): Promise<Subscription[]> {
  const subscriptions: Subscription[] = [];
  for await (const item of itemsOf(backend, subscriptionsPartition(library))) {
    const known = parse(stored, item, 'subscription');
    const pending = await isPending(backend, known.arn);
    if (pending === null) await remove(backend, subscriptionItem(library, known.arn));
    else subscriptions.push({ ...known, pending });
  }
  return subscriptions;
}

/**
 * Sends a library's alerts to an address, or chooses anew for which rules.
 * @throws InvalidInput when SNS refuses the address, or it is subscribed but not by this library: an address has one subscription to a topic
 */
export async function subscribe(backend: Backend, library: LibraryId, draft: SubscriptionDraft): Promise<void> {
  const { dynamodb, names } = backend;
  const arn = await subscribeAtSns(backend, library, draft);
  await remove(backend, endedSubscriptionItem(arn));
  await dynamodb.send(new PutCommand({ TableName: names.table, Item: { ...subscriptionItem(library, arn), arn, ...draft } }));
}

/** @returns the subscription's ARN */
async function subscribeAtSns(backend: Backend, library: LibraryId, { protocol, endpoint, rules }: SubscriptionDraft): Promise<string> {
  const { sns, names } = backend;
  const FilterPolicy = alertFilter(library, rules);
  const request = { TopicArn: names.topicArn, Protocol: protocol, Endpoint: endpoint, Attributes: { FilterPolicy } };
  try {
    return (await sns.send(new SubscribeCommand({ ...request, ReturnSubscriptionArn: true }))).SubscriptionArn ?? '';
  } catch (thrown) {
    if (!isNamed(thrown, 'InvalidParameter')) throw thrown;
    if (!/already exists with different attributes/i.test(thrown.message)) {
      throw new InvalidInput(`${endpoint} cannot be subscribed: ${thrown.message}`, { cause: thrown });
    }
    const own = await listSubscriptions(backend, library);
    const found = own.find((each) => each.protocol === protocol && each.endpoint === endpoint);
    if (!found) throw new InvalidInput(`${endpoint} gets alerts already, of another library. Name another address.`, { cause: thrown });
    const change = { SubscriptionArn: found.arn, AttributeName: 'FilterPolicy', AttributeValue: FilterPolicy };
    await sns.send(new SetSubscriptionAttributesCommand(change));
    return found.arn;
  }
}

/** @throws InvalidInput when it is none of the library's */
export async function unsubscribe(backend: Backend, library: LibraryId, arn: string): Promise<void> {
  const own = (await listSubscriptions(backend, library)).find((each) => each.arn === arn);
  if (!own) throw new InvalidInput('There is no such subscription.');
  const { dynamodb, names, sns } = backend;
  // SNS cannot end one that nobody has confirmed. It forgets it after some days, unless it is confirmed before that.
  if (own.pending) await dynamodb.send(new PutCommand({ TableName: names.table, Item: { ...endedSubscriptionItem(arn), arn } }));
  else await sns.send(new UnsubscribeCommand({ SubscriptionArn: arn }));
  await remove(backend, subscriptionItem(library, arn));
}

/** Ends subscriptions that were ended before they were confirmed and are confirmed now. To be called before anything is published. */
export async function endConfirmed(backend: Backend): Promise<void> {
  for await (const item of itemsOf(backend, endedSubscriptionsPartition)) {
    const { arn } = parse(v.pick(subscription, ['arn']), item, 'ended subscription');
    const pending = await isPending(backend, arn);
    if (pending) continue;
    if (pending === false) await backend.sns.send(new UnsubscribeCommand({ SubscriptionArn: arn }));
    await remove(backend, endedSubscriptionItem(arn));
  }
}

/** Whether a subscription waits for its receiver's confirmation; null when it is no more. */
async function isPending({ sns }: Backend, arn: string): Promise<boolean | null> {
  try {
    const { Attributes } = await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn: arn }));
    return Attributes?.['PendingConfirmation'] === 'true';
  } catch (thrown) {
    if (isNamed(thrown, 'NotFound')) return null;
    throw thrown;
  }
}

async function remove({ dynamodb, names }: Backend, Key: ItemKey): Promise<void> {
  await dynamodb.send(new DeleteCommand({ TableName: names.table, Key }));
}

/** SNS's errors by their code, with or without the suffix that the SDK gives some of them. */
const isNamed = (thrown: unknown, code: string): thrown is Error =>
  thrown instanceof Error && (thrown.name === code || thrown.name === `${code}Exception`);
