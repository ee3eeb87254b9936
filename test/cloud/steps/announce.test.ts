import { expect, it } from 'vitest';
import { type Service, ServiceError } from '../../../cloud/local/gateway/service.ts';
import { toXml } from '../../../cloud/local/gateway/xml.ts';
import { announce } from '../../../cloud/steps/announce.ts';
import { changeAsset, claim, finish } from '../../../cloud/steps/assets.ts';
import { createBackend } from '../../../cloud/steps/backend.ts';
import { drainOutbox, enqueueAlert, sendAlerts } from '../../../cloud/steps/outbox.ts';
import { listSubscriptions, subscribe, unsubscribe } from '../../../cloud/steps/subscriptions.ts';
import { writeAll } from '../../../cloud/steps/table.ts';
import { InvalidInput, Transient } from '../../../shared/errors.ts';
import { waitingAlertItem } from '../../../shared/keys.ts';
import type { LibraryId } from '../../../shared/model/asset.ts';
import type { RuleId } from '../../../shared/model/rule.ts';
import { eventually } from '../local/serve.ts';
import { claimantOf, openBackend, type TestBackend } from './openBackend.ts';

const who = claimantOf(Buffer.from('photo'));
const match = (rule: string, sns = true) => ({
  rule: rule as RuleId,
  revision: 1,
  name: `Grüße ${rule}`,
  because: 'Dog 97 %',
  notify: { desktop: true, sns },
});

/** A finished asset with these matches, and one subscriber to the library's alerts. */
async function openWith(...matches: ReturnType<typeof match>[]): Promise<TestBackend> {
  const backend = await openBackend();
  await subscribe(backend, who.library, { protocol: 'email', endpoint: 'me@example.org', rules: null });
  await changeAsset(backend, who.library, who.asset, claim(who, 'dog.jpg'));
  await changeAsset(backend, who.library, who.asset, finish(who, { outcome: { kind: 'analysed', category: 'success' }, matches }));
  return backend;
}

/** A backend whose SNS cannot be reached. */
const withoutSns = (backend: TestBackend): TestBackend => ({
  ...backend,
  sns: createBackend(
    { endpoint: 'http://127.0.0.1:1', region: 'us-east-1', credentials: { accessKeyId: 'k', secretAccessKey: 's' } },
    backend,
  ).sns,
});

/** A DynamoDB that takes nothing of each fifth batch, as it may when much is written to one partition. @param asked gets the name of each call */
const busyNowAndThen =
  (dynamodb: Service, asked: string[]): Service =>
  async (request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    asked.push(operation);
    if (!operation.startsWith('Batch') || asked.length % 5 > 0) return dynamodb(request, response);
    const { RequestItems } = JSON.parse((await request.readBody(1 << 24)).toString());
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    response.end(JSON.stringify({ Responses: {}, UnprocessedItems: RequestItems, UnprocessedKeys: RequestItems }));
  };

/** An SNS whose subscribers have to confirm, as on AWS: until then it does not end a subscription. */
function unconfirmed(sns: Service, isConfirmed: () => boolean): Service {
  return async (request, response) => {
    const body = await request.readBody(1 << 20);
    const action = new URLSearchParams(body.toString()).get('Action');
    if (!isConfirmed() && action === 'Unsubscribe') throw new ServiceError('InvalidParameter', 'This subscription is pending confirmation');
    if (isConfirmed() || action !== 'GetSubscriptionAttributes') return sns({ ...request, readBody: async () => body }, response);
    const Attributes = { entry: [{ key: 'PendingConfirmation', value: 'true' }] };
    response.end(toXml(`${action}Response`, { [`${action}Result`]: { Attributes } }, 'http://sns.amazonaws.com/doc/2010-03-31/'));
  };
}

const subjectOf = (mail: string) => /^Subject: (.*)$/m.exec(mail)?.[1]?.trim();

/** Waits long enough to see an e-mail too many. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 300));

it('publishes each match that asks for it once, however often and by however many it is announced', async () => {
  const backend = await openWith(match('dogs'), match('quiet', false), match('pets'));
  await Promise.all([1, 2, 3, 4].map(() => announce(who, backend)));
  await announce(who, backend);
  await drainOutbox(backend);
  await eventually(() => backend.mails.length >= 2);
  await settled();
  expect(backend.mails).toHaveLength(2);
  expect(backend.mails.map(subjectOf).sort()).toEqual(['Pixwatch: Gr?e dogs', 'Pixwatch: Gr?e pets']);
  expect(backend.mails[0]).toContain('dog.jpg');
});

it('lets alerts wait while SNS is down, and sends them when it is back', async () => {
  const backend = await openWith(match('dogs'));
  await announce(who, withoutSns(backend));
  expect(backend.warnings).toEqual([expect.stringMatching(/wait in the outbox/)]);
  await expect(drainOutbox(withoutSns(backend))).rejects.toThrow(Transient);
  await drainOutbox(backend);
  await drainOutbox(backend);
  await eventually(() => backend.mails.length >= 1);
  await settled();
  expect(backend.mails).toHaveLength(1);
});

it('sends again what a sender that died had claimed, after a while', async () => {
  const backend = await openWith(match('dogs'));
  // Whoever waits for an answer that never comes holds the claim, as one that died does.
  const publishing = Promise.withResolvers<void>();
  const send = () => {
    publishing.resolve();
    return new Promise(() => {});
  };
  void announce(who, { ...backend, sns: Object.assign(Object.create(backend.sns), { send }) });
  await publishing.promise;
  await drainOutbox(backend);
  await settled();
  expect(backend.mails).toEqual([]);
  backend.pass(301_000);
  await drainOutbox(backend);
  await eventually(() => backend.mails.length >= 1);
});

it('gathers a burst of one rule into one message, and does not make other rules wait', async () => {
  const backend = await openBackend();
  await subscribe(backend, who.library, { protocol: 'email', endpoint: 'me@example.org', rules: null });
  const find = async (rule: string, n: number) => {
    const file = `${rule} ${n}.jpg`;
    const alert = { alertId: `local/${n}/${rule}`, library: who.library, rule, ruleName: rule, because: 'Dog 97 %', file };
    await enqueueAlert(backend, alert);
    await sendAlerts(backend, [alert]);
  };
  const all = Array.from({ length: 200 }, (_, n) => n);
  for (let at = 0; at < all.length; at += 20) await Promise.all(all.slice(at, at + 20).map((n) => find('dogs', n)));
  await find('cats', 1);
  await drainOutbox(backend);
  await eventually(() => backend.mails.length >= 2);
  await settled();
  expect(backend.mails.map(subjectOf).sort()).toEqual(['Pixwatch: cats', 'Pixwatch: dogs']);

  backend.pass(301_000);
  await Promise.all([drainOutbox(backend), drainOutbox(backend)]);
  await eventually(() => backend.mails.length >= 3);
  backend.pass(301_000);
  await drainOutbox(backend);
  await settled();
  expect(backend.mails.slice(2).map(subjectOf)).toEqual(['Pixwatch: dogs (199 photos)']);
  expect(backend.mails[2]).toContain('and 179 more');
});

it('sends a large digest within few calls, also when DynamoDB does not take all at once, and each alert in one message', async () => {
  const asked: string[] = [];
  const backend = await openBackend({}, {}, (name, service) => (name === 'dynamodb' ? busyNowAndThen(service, asked) : service));
  await subscribe(backend, who.library, { protocol: 'email', endpoint: 'me@example.org', rules: null });
  const alerts = Array.from({ length: 2000 }, (_, n) => ({
    ...{ alertId: `local/${n}/dogs`, library: who.library, rule: 'dogs', ruleName: 'dogs', because: 'Dog 97 %', file: `${n}.jpg` },
  }));
  await writeAll(
    backend,
    alerts.map((alert) => ({ PutRequest: { Item: { ...waitingAlertItem(alert.alertId), ...alert } } })),
  );
  asked.length = 0;
  await drainOutbox(backend);
  // With 256 MB a function makes some hundred calls a second, and it has two minutes.
  expect(asked.length).toBeLessThan(300);
  await eventually(() => backend.mails.length >= 1);

  for (const alert of alerts.slice(0, 30)) await enqueueAlert(backend, alert);
  backend.pass(301_000);
  await drainOutbox(backend);
  await settled();
  expect(backend.mails.map(subjectOf)).toEqual(['Pixwatch: dogs (2000 photos)']);
});

it('subscriptions belong to their library alone', async () => {
  const backend = await openBackend();
  const other = 'other' as LibraryId;
  await subscribe(backend, who.library, { protocol: 'email', endpoint: 'me@example.org', rules: null });
  await subscribe(backend, who.library, { protocol: 'email', endpoint: 'me@example.org', rules: null });
  const [mine, ...more] = await listSubscriptions(backend, who.library);
  expect(mine).toMatchObject({ protocol: 'email', endpoint: 'me@example.org', pending: false });
  expect(more).toEqual([]);
  expect(await listSubscriptions(backend, other)).toEqual([]);
  await expect(unsubscribe(backend, other, mine?.arn ?? '')).rejects.toThrow(InvalidInput);
  await unsubscribe(backend, who.library, mine?.arn ?? '');
  expect(await listSubscriptions(backend, who.library)).toEqual([]);
});

it('an address gets the alerts of one library: another’s does not take it over', async () => {
  const backend = await openWith(match('dogs'));
  const other = 'other' as LibraryId;
  const draft = { protocol: 'email', endpoint: 'me@example.org', rules: null } as const;
  await expect(subscribe(backend, other, draft)).rejects.toThrow(/me@example\.org gets alerts already/);
  expect(await listSubscriptions(backend, other)).toEqual([]);
  await announce(who, backend);
  await eventually(() => backend.mails.length >= 1);
  expect(backend.mails.map(subjectOf)).toEqual(['Pixwatch: Gr?e dogs']);
});

it('the rules of a subscriber can be chosen anew', async () => {
  const backend = await openWith(match('dogs'), match('cats'));
  const [before] = await listSubscriptions(backend, who.library);
  await subscribe(backend, who.library, { protocol: 'email', endpoint: 'me@example.org', rules: ['cats' as RuleId] });
  expect(await listSubscriptions(backend, who.library)).toEqual([{ ...before, rules: ['cats'] }]);
  await announce(who, backend);
  await eventually(() => backend.mails.length >= 1);
  await settled();
  expect(backend.mails.map(subjectOf)).toEqual(['Pixwatch: Gr?e cats']);
});

it('an address that was removed before it was confirmed gets nothing when it is confirmed later', async () => {
  let confirmed = false;
  const backend = await openBackend({}, {}, (name, service) => (name === 'sns' ? unconfirmed(service, () => confirmed) : service));
  const draft = { protocol: 'email', endpoint: 'stranger@example.org', rules: null } as const;
  await subscribe(backend, who.library, draft);
  const [pending] = await listSubscriptions(backend, who.library);
  expect(pending).toMatchObject({ pending: true });
  await unsubscribe(backend, who.library, pending?.arn ?? '');
  expect(await listSubscriptions(backend, who.library)).toEqual([]);

  confirmed = true;
  const alert = { alertId: 'local/1/dogs', library: who.library, rule: 'dogs', ruleName: 'dogs', because: 'Dog 97 %', file: 'dog.jpg' };
  await enqueueAlert(backend, alert);
  await drainOutbox(backend);
  await settled();
  expect(backend.mails).toEqual([]);

  // Who is wanted again gets alerts again.
  confirmed = false;
  await subscribe(backend, who.library, draft);
  const [again] = await listSubscriptions(backend, who.library);
  await unsubscribe(backend, who.library, again?.arn ?? '');
  await subscribe(backend, who.library, draft);
  confirmed = true;
  await enqueueAlert(backend, { ...alert, alertId: 'local/1/cats', rule: 'cats' });
  await drainOutbox(backend);
  await eventually(() => backend.mails.length === 1);
});

it('does not tell one library of the matches of another', async () => {
  const backend = await openWith(match('dogs'));
  await subscribe(backend, 'other' as LibraryId, { protocol: 'email', endpoint: 'other@example.org', rules: null });
  await announce(who, backend);
  await eventually(() => backend.mails.length >= 1);
  await settled();
  expect(backend.mails.filter((mail) => mail.includes('other@example.org'))).toEqual([]);
});

it('tells a subscriber of the rules that it chose only', async () => {
  const backend = await openWith(match('dogs'), match('cats'));
  await subscribe(backend, who.library, { protocol: 'email', endpoint: 'cats@example.org', rules: ['cats' as RuleId] });
  expect(await listSubscriptions(backend, who.library)).toContainEqual(
    expect.objectContaining({ endpoint: 'cats@example.org', rules: ['cats'] }),
  );
  await announce(who, backend);
  await eventually(() => backend.mails.length >= 3);
  await settled();
  const toCats = backend.mails.filter((mail) => mail.includes('cats@example.org'));
  expect(toCats.map(subjectOf)).toEqual(['Pixwatch: Gr?e cats']);
});

it('takes a subscriber who chose a hundred rules', async () => {
  const backend = await openWith(match('rule-99'), match('cats'));
  const rules = Array.from({ length: 100 }, (_, n) => `rule-${n}` as RuleId);
  await subscribe(backend, who.library, { protocol: 'email', endpoint: 'many@example.org', rules });
  await announce(who, backend);
  await eventually(() => backend.mails.length >= 3);
  await settled();
  expect(backend.mails.filter((mail) => mail.includes('many@example.org')).map(subjectOf)).toEqual(['Pixwatch: Gr?e rule-99']);
});
