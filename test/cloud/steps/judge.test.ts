import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { expect, it } from 'vitest';
import { changeAsset, claim } from '../../../cloud/steps/assets.ts';
import { categorise } from '../../../cloud/steps/categorise.ts';
import { keep } from '../../../cloud/steps/keep.ts';
import { writeJson } from '../../../cloud/steps/objects.ts';
import { record } from '../../../cloud/steps/record.ts';
import { reject } from '../../../cloud/steps/reject.ts';
import type { Claimant } from '../../../cloud/steps/state.ts';
import { changesIndex, ruleItem } from '../../../shared/keys.ts';
import type { Media } from '../../../shared/model/asset.ts';
import type { Rule, RuleId } from '../../../shared/model/rule.ts';
import { claimantOf, openBackend, recordOf, type TestBackend } from './openBackend.ts';

const who = claimantOf(Buffer.from('photo'));
const dog = { name: 'Dog', confidence: 97.5, parents: ['Animal'], categories: [], instances: [] };
const line = { text: 'INVOICE 2024', confidence: 99, box: { left: 0.1, top: 0.1, width: 0.5, height: 0.1 } };
const media: Media = {
  kind: 'photo',
  type: 'image/jpeg',
  bytes: 5,
  width: null,
  height: null,
  animated: false,
  durationMs: null,
  takenAt: '2020-01-01T00:00:00.000Z',
  camera: null,
  place: null,
};
const rendered = { width: 640, height: 480, animated: false };

const ruleNamed = (id: string, label: string, more: object = {}): Rule => ({
  id: id as RuleId,
  name: `Rule ${id}`,
  condition: { kind: 'label', label, minConfidence: 90 },
  notify: { desktop: true, sns: false },
  revision: 1,
  changedAt: '2024-01-01T00:00:00.000Z',
  deleted: false,
  ...more,
});

async function saveRule({ dynamodb, names }: TestBackend, rule: Rule): Promise<void> {
  await dynamodb.send(new PutCommand({ TableName: names.table, Item: { ...ruleItem(who.library, rule.id), ...rule } }));
}

/** The state after the detectors. */
async function lookedAt(backend: TestBackend, by: Claimant = who) {
  const fileOf = async (file: string, content: object) => {
    const key = `local/${who.asset}/${file}`;
    await writeJson(backend, key, content);
    return { known: true, key, summary: 'found' };
  };
  const found = {
    labels: await fileOf('labels.json', { labels: [dog] }),
    text: await fileOf('raw/text.json', { text: [line] }),
    moderation: await fileOf('raw/moderation.json', { moderation: [] }),
    faces: await fileOf('raw/faces.json', { faces: [] }),
  };
  await changeAsset(backend, who.library, who.asset, claim(by, 'dog.jpg'));
  return { ...by, route: 'photo', media, rendered, found };
}

it('judges by every rule that is not deleted, and leaves out one that cannot be understood', async () => {
  const backend = await openBackend();
  const state = await lookedAt(backend);
  expect(await categorise(state, backend)).toEqual({ category: 'failure', matches: [] });

  await saveRule(backend, ruleNamed('a', 'dog'));
  await saveRule(backend, ruleNamed('b', 'cat'));
  await saveRule(backend, ruleNamed('c', 'dog', { deleted: true }));
  await saveRule(backend, ruleNamed('d', 'dog', { condition: { kind: 'smell' } }));
  await saveRule(backend, ruleNamed('e', 'DOG '));
  const { category, matches } = await categorise(state, backend);
  expect(category).toBe('success');
  expect(matches.map(({ rule, because }) => [rule, because])).toEqual([
    ['a', 'Dog 97 %'],
    ['e', 'Dog 97 %'],
  ]);
  expect(backend.warnings).toEqual([expect.stringMatching(/A rule of local is left out: rule rule#d/)]);
});

it('records what was found, once, and where the original goes', async () => {
  const backend = await openBackend();
  const state = { ...(await lookedAt(backend)), judged: { category: 'success', matches: [] } };
  expect(await record(state, backend)).toEqual({ destination: 'success' });
  const written = await recordOf(backend, who);
  expect(written).toMatchObject({
    revision: 2,
    name: 'dog.jpg',
    outcome: { kind: 'analysed', category: 'success' },
    media: { ...media, ...rendered },
    labels: [dog],
    faces: [],
    text: [line],
    moderation: [],
    renditions: ['thumb', 'preview', 'analysis', 'pixelated'],
  });
  expect(await record(state, backend)).toEqual({ destination: 'success' });
  expect(await recordOf(backend, who)).toEqual(written);

  const { Items } = await backend.dynamodb.send(
    new QueryCommand({
      TableName: backend.names.table,
      IndexName: changesIndex,
      KeyConditionExpression: 'pk = :pk AND changedAt > :cursor',
      ExpressionAttributeValues: { ':pk': 'local', ':cursor': '2000' },
    }),
  );
  expect(Items).toMatchObject([{ asset: who.asset, revision: 2 }]);
});

it('judges by text and time too', async () => {
  const backend = await openBackend();
  const state = await lookedAt(backend);
  await saveRule(backend, ruleNamed('a', '', { condition: { kind: 'text', text: 'invoice 2024' } }));
  await saveRule(backend, ruleNamed('b', '', { condition: { kind: 'text', text: 'receipt' } }));
  await saveRule(backend, ruleNamed('c', '', { condition: { kind: 'taken', from: '2020-01-01', to: null } }));
  expect((await categorise(state, backend)).matches.map(({ rule, because }) => [rule, because])).toEqual([
    ['a', 'text “invoice 2024”'],
    ['c', 'taken on 2020-01-01'],
  ]);
  const unknown = { ...state, found: { ...state.found, text: { known: false } } };
  expect((await categorise(unknown, backend)).matches.map(({ rule }) => rule)).toEqual(['c']);
});

it('says that faces are not known and offers no safe share when they could not be found', async () => {
  const backend = await openBackend();
  const looked = await lookedAt(backend);
  await record({ ...looked, found: { ...looked.found, faces: { known: false } }, judged: { category: 'failure', matches: [] } }, backend);
  expect(await recordOf(backend, who)).toMatchObject({ faces: null, renditions: ['thumb', 'preview', 'analysis'] });
});

it('leaves it to the execution that has taken the asset over', async () => {
  const backend = await openBackend();
  const state = { ...(await lookedAt(backend)), judged: { category: 'success', matches: [] } };
  await changeAsset(backend, who.library, who.asset, claim({ ...who, execution: 'execution-2' }, null));
  expect(await record(state, backend)).toEqual({ destination: 'inbox' });
  expect(await recordOf(backend, who)).toMatchObject({ outcome: { kind: 'pending', execution: 'execution-2' } });
});

it('keeps and rejects with the reason, never over what was found', async () => {
  const backend = await openBackend();
  const state = { ...(await lookedAt(backend)), judged: { category: 'failure', matches: [] } };
  const Cause = JSON.stringify({ errorType: 'Permanent', errorMessage: 'The picture is damaged.', trace: [] });
  const error = { Error: 'Permanent', Cause };
  expect(await reject({ ...who, error }, backend)).toEqual({ destination: 'rejected' });
  expect(await recordOf(backend, who)).toMatchObject({ outcome: { kind: 'rejected', reason: 'The picture is damaged.' } });
  expect(await record(state, backend)).toEqual({ destination: 'rejected' });

  const video = claimantOf(Buffer.from('video'), 'mp4');
  await changeAsset(backend, video.library, video.asset, claim(video, 'a.mp4'));
  expect(await keep({ ...video, media, reason: 'Kept safely.' }, backend)).toEqual({ destination: 'inbox' });
  expect(await recordOf(backend, video)).toMatchObject({ outcome: { kind: 'kept', reason: 'Kept safely.' }, media });
  expect(await reject({ ...video, execution: 'other', error }, backend)).toEqual({ destination: 'inbox' });
});

it('lets everybody change a record at the same time, one after another', async () => {
  const backend = await openBackend();
  const executions = ['1', '2', '3', '4'].map((execution) => ({ ...who, execution }));
  await Promise.all(executions.map((each) => changeAsset(backend, who.library, who.asset, claim(each, null))));
  const standing = await recordOf(backend, who);
  expect(standing?.revision).toBe(4);
});
