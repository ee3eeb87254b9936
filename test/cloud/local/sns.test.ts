import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateTopicCommand,
  GetSubscriptionAttributesCommand,
  ListSubscriptionsByTopicCommand,
  ListTopicsCommand,
  PublishCommand,
  SetSubscriptionAttributesCommand,
  SNSClient,
  SubscribeCommand,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../../cloud/local/database.ts';
import { createEmails } from '../../../cloud/local/emails.ts';
import { createSns } from '../../../cloud/local/sns.ts';
import { createSubscriptions } from '../../../cloud/local/subscriptions.ts';
import { systemClock } from '../../../shared/clock.ts';
import { eventually, scratchDir, serve } from './serve.ts';
import { startMailServer } from './smtp.ts';

async function open(dir: string) {
  const database = await openDatabase(join(dir, 'local.db'));
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const emails = createEmails({ sql: database.sql, clock: systemClock, settingsPath: join(dir, 'smtp.json'), log });
  const subscriptions = createSubscriptions(database.sql);
  const client = new SNSClient(await serve({ sns: createSns({ database, subscriptions, emails, log }) }));
  const { TopicArn } = await client.send(new CreateTopicCommand({ Name: 'alerts' }));
  const close = async () => {
    await emails.close();
    await database.close();
  };
  const subscribe = async (Endpoint: string, Protocol = 'email', Attributes?: Record<string, string>) => {
    const { SubscriptionArn } = await client.send(new SubscribeCommand({ TopicArn, Protocol, Endpoint, Attributes }));
    return SubscriptionArn;
  };
  const publish = (Message: string, options: object = {}) => client.send(new PublishCommand({ TopicArn, Message, ...options }));
  const waiting = () => database.sql.prepare('SELECT recipient, tries FROM email').all();
  return { client, TopicArn, lines, close, subscribe, publish, waiting };
}

async function opened(dir?: string) {
  const sns = await open(dir ?? (await scratchDir()));
  onTestFinished(sns.close);
  return sns;
}

function writeSettings(dir: string, settings: object) {
  return writeFile(join(dir, 'smtp.json'), JSON.stringify({ host: '127.0.0.1', from: 'pixwatch@example.org', ...settings }));
}

test('subscribing twice is one subscription, with its filter; unsubscribing ends it', async () => {
  const { client, TopicArn, subscribe } = await opened();
  const arn = await subscribe('a@example.org', 'email', { FilterPolicy: '{"rule":["dogs"]}' });
  expect(await subscribe('a@example.org')).toBe(arn);
  expect(await subscribe('a@example.org', 'email', { FilterPolicy: '{ "rule": ["dogs"] }' })).toBe(arn);
  // In SNS's own words.
  const differently = subscribe('a@example.org', 'email', { FilterPolicy: '{"rule":["cats"]}' });
  await expect(differently).rejects.toThrow('Subscription already exists with different attributes');
  await subscribe('+491701234567', 'sms');

  const list = async () => (await client.send(new ListSubscriptionsByTopicCommand({ TopicArn }))).Subscriptions;
  expect(await list()).toMatchObject([
    { SubscriptionArn: arn, Protocol: 'email', Endpoint: 'a@example.org', TopicArn },
    { Protocol: 'sms', Endpoint: '+491701234567' },
  ]);
  const { Attributes } = await client.send(new GetSubscriptionAttributesCommand({ SubscriptionArn: arn }));
  expect(Attributes).toMatchObject({ FilterPolicy: '{"rule":["dogs"]}', PendingConfirmation: 'false' });

  await client.send(new UnsubscribeCommand({ SubscriptionArn: arn }));
  await client.send(new UnsubscribeCommand({ SubscriptionArn: arn }));
  expect(await list()).toHaveLength(1);
  expect((await client.send(new ListTopicsCommand({}))).Topics).toEqual([{ TopicArn }]);
});

test('subscriptions are listed in pages', async () => {
  const { client, TopicArn, subscribe } = await opened();
  for (let i = 0; i < 101; i++) await subscribe(`a${i}@example.org`);
  const first = await client.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
  const second = await client.send(new ListSubscriptionsByTopicCommand({ TopicArn, NextToken: first.NextToken }));
  expect(first.Subscriptions).toHaveLength(100);
  expect(second.Subscriptions?.map((subscription) => subscription.Endpoint)).toEqual(['a100@example.org']);
  expect(second.NextToken).toBeUndefined();
});

test('what is published reaches the subscribed mail boxes whose filter it passes', async () => {
  const dir = await scratchDir();
  const mail = await startMailServer(0, { user: 'pix', password: 'watch' });
  await writeSettings(dir, { port: mail.port, user: 'pix', password: 'watch' });
  const { subscribe, publish } = await opened(dir);
  await subscribe('all@example.org');
  await subscribe('cats@example.org', 'email', { FilterPolicy: '{"rule":["cats"]}' });

  const attribute = (StringValue: string) => ({ rule: { DataType: 'String', StringValue } });
  const { MessageId } = await publish('A dog <b>& more\nNaïve', { Subject: 'Pixwatch: Dogs', MessageAttributes: attribute('dogs') });
  await publish(JSON.stringify({ default: 'short', email: 'A cat' }), { MessageStructure: 'json', MessageAttributes: attribute('cats') });
  await eventually(() => mail.inbox.length === 3);

  const to = (address: string) => mail.inbox.filter((message) => message.includes(`To: ${address}`));
  expect(to('all@example.org')).toHaveLength(2);
  expect(to('cats@example.org')).toEqual([expect.stringContaining('A cat')]);
  expect(mail.inbox[0]).toContain('From: pixwatch@example.org');
  expect(mail.inbox[0]).toContain('Subject: Pixwatch: Dogs');
  expect(mail.inbox[0]).toContain(`Message-ID: <${MessageId}@pixwatch.local>`);
  expect(mail.inbox[0]).toContain('A dog <b>& more');
  expect((await stat(join(dir, 'smtp.json'))).mode & 0o777).toBe(0o600);
});

test('a filter may ask for a beginning, and has as many combinations as SNS takes', async () => {
  const dir = await scratchDir();
  const mail = await startMailServer();
  await writeSettings(dir, { port: mail.port });
  const { subscribe, publish } = await opened(dir);
  await subscribe('ann@example.org', 'email', { FilterPolicy: '{"about":[{"prefix":"ann/"},"*"]}' });
  for (const about of ['ann/cats', '*', 'anna/cats', 'bob/ann/cats', 'ann']) {
    await publish(about, { MessageAttributes: { about: { DataType: 'String', StringValue: about } } });
  }
  await publish('about nothing');
  await eventually(() => mail.inbox.length === 2);
  expect(mail.inbox).toEqual([expect.stringContaining('ann/cats'), expect.stringContaining('*')]);

  const values = (count: number) => Array.from({ length: count }, (_, n) => `${n}`);
  const filter = (...counts: number[]) => ({
    FilterPolicy: JSON.stringify(Object.fromEntries(counts.map((count, n) => [n, values(count)]))),
  });
  await subscribe('b@example.org', 'email', filter(150));
  await expect(subscribe('c@example.org', 'email', filter(151))).rejects.toThrow('too complex');
  await expect(subscribe('c@example.org', 'email', filter(2, 76))).rejects.toThrow('too complex');
  await expect(subscribe('c@example.org', 'email', filter(1, 1, 1, 1, 1, 1))).rejects.toThrow('too complex');
});

test('a mail server that is down loses nothing, also when the process ends meanwhile', async () => {
  const dir = await scratchDir();
  const first = await startMailServer();
  await first.close();
  await writeSettings(dir, { port: first.port });
  const before = await open(dir);
  await before.subscribe('a@example.org');
  await before.publish('one');
  await eventually(() => before.lines.length > 0);
  await before.publish('two');
  await before.close();
  expect(before.lines).toEqual([
    expect.stringMatching(/^E-mails wait to be sent: the mail server 127\.0\.0\.1:\d+ cannot be used: .*ECONNREFUSED/),
  ]);

  const mail = await startMailServer(first.port);
  await opened(dir);
  await eventually(() => mail.inbox.length === 2);
  expect(mail.inbox).toEqual([expect.stringContaining('one'), expect.stringContaining('two')]);
});

test('without settings, or with wrong ones, e-mails wait and the reason is told once; the next publish reads them anew', async () => {
  const dir = await scratchDir();
  const mail = await startMailServer();
  const { lines, subscribe, publish } = await opened(dir);
  await subscribe('a@example.org');
  await publish('one');
  await eventually(() => lines.length === 1);
  expect(lines[0]).toContain('no mail server is set up');
  expect(lines[0]).toContain(join(dir, 'smtp.json'));

  await writeFile(join(dir, 'smtp.json'), '{"password": "secret-1" oops');
  await publish('two');
  await eventually(() => lines.length === 2);
  expect(lines[1]).toContain('is no JSON');
  await writeSettings(dir, { port: 'secret-2', password: 5 });
  await publish('three');
  await eventually(() => lines.length === 3);
  expect(lines[2]).toContain('port: must be a port number');
  expect(lines.join()).not.toContain('secret');

  await writeSettings(dir, { port: mail.port });
  await publish('four');
  await eventually(() => mail.inbox.length === 4);
});

test('a refused recipient is given up, a busy one waits, and neither holds up the others', async () => {
  const dir = await scratchDir();
  const mail = await startMailServer();
  await writeSettings(dir, { port: mail.port });
  const { lines, subscribe, publish, close, waiting } = await open(dir);
  for (const address of ['nobody@refused.example', 'later@busy.example', 'a@example.org']) await subscribe(address);
  await publish('hello');
  await eventually(() => waiting().length === 1);
  expect(mail.inbox).toHaveLength(1);
  expect(lines).toEqual([expect.stringContaining('refuses nobody@refused.example')]);
  expect(waiting()).toEqual([{ recipient: 'later@busy.example', tries: 1 }]);
  await close();
});

test('a wrong password keeps e-mails waiting and is not told', async () => {
  const dir = await scratchDir();
  const mail = await startMailServer(0, { user: 'pix', password: 'right' });
  await writeSettings(dir, { port: mail.port, user: 'pix', password: 'wrong-secret' });
  const { lines, subscribe, publish } = await opened(dir);
  await subscribe('a@example.org');
  await publish('one');
  await eventually(() => lines.length === 1);
  expect(lines[0]).toContain('wrong password');
  expect(lines[0]).not.toContain('wrong-secret');
  await writeSettings(dir, { port: mail.port, user: 'pix', password: 'right' });
  await publish('two');
  await eventually(() => mail.inbox.length === 2);
});

test('SMS subscribers are told once in the log that this computer cannot send SMS', async () => {
  const { lines, subscribe, publish } = await opened();
  await subscribe('+491701234567', 'sms');
  await publish('one');
  await publish('two');
  expect(lines).toEqual([expect.stringContaining('this computer cannot send SMS')]);
});

test('wrong input is answered as SNS answers it', async () => {
  const { client, TopicArn, subscribe, publish } = await opened();
  await expect(subscribe('not an address')).rejects.toMatchObject({ name: 'InvalidParameterException' });
  await expect(subscribe('0170', 'sms')).rejects.toThrow('must be a phone number');
  await expect(subscribe('https://example.org', 'https')).rejects.toMatchObject({ name: 'InvalidParameterException' });
  await expect(subscribe('a@example.org', 'email', { FilterPolicy: '{"rule":[{"suffix":"x"}]}' })).rejects.toThrow(
    'only exact strings and prefixes',
  );
  await expect(subscribe('a@example.org', 'email', { RawMessageDelivery: 'true' })).rejects.toThrow('FilterPolicy only');
  // Nothing is left of one that was refused: it would let everything through.
  expect((await client.send(new ListSubscriptionsByTopicCommand({ TopicArn }))).Subscriptions ?? []).toEqual([]);
  await expect(publish('x', { TopicArn: `${TopicArn}x` })).rejects.toMatchObject({ name: 'NotFoundException' });
  await expect(publish('x', { Subject: 'two\nlines' })).rejects.toThrow('one line');
  await expect(publish('x'.repeat(262_145))).rejects.toMatchObject({ name: 'InvalidParameterException' });
  await expect(client.send(new GetSubscriptionAttributesCommand({ SubscriptionArn: `${TopicArn}:x` }))).rejects.toMatchObject({
    name: 'NotFoundException',
  });
  const set = { SubscriptionArn: `${TopicArn}:x`, AttributeName: 'FilterPolicy', AttributeValue: '{}' };
  await expect(client.send(new SetSubscriptionAttributesCommand(set))).rejects.toMatchObject({ name: 'NotFoundException' });
});
