import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadSettings, settingsPath } from '../../../cloud/stack/settings.ts';
import { InvalidInput } from '../../../shared/errors.ts';
import { scratchDir } from '../local/serve.ts';

async function load(text: string) {
  const path = join(await scratchDir(), 'pixwatch.config.json');
  await writeFile(path, text);
  return () => loadSettings(path);
}

const good = { name: 'pixwatch', region: 'eu-west-1' };

it('reads the settings that come with Pixwatch', () => {
  expect(loadSettings(settingsPath)).toMatchObject({ name: 'pixwatch', removalPolicy: 'keep', archiveAfterDays: null });
});

it('takes for what is not given what costs least and loses nothing', async () => {
  expect((await load(JSON.stringify(good)))()).toMatchObject({
    removalPolicy: 'keep',
    auditTrail: false,
    subscribers: [],
    minConfidence: 55,
  });
});

it('pays for labels of videos only where they are wanted, which who switched labels off before had not said', async () => {
  const chosen = async (detectors: object) => (await load(JSON.stringify({ ...good, detectors })))().detectors;
  expect(await chosen({})).toMatchObject({ labels: true, videoLabels: true });
  expect(await chosen({ videoLabels: false })).toMatchObject({ labels: true, videoLabels: false });
  expect(await chosen({ labels: false })).toMatchObject({ labels: false, videoLabels: false });
});

it.each([
  ['a mistyped name', { ...good, regoin: 'x' }, /pixwatch\.config\.json.*\n {2}regoin: is no setting; there are name, region, /],
  ['a missing one', { region: 'eu-west-1' }, /name: /],
  ['no region', { ...good, region: 'Ireland' }, /region: is no region name/],
  ['a retention that CloudWatch does not know', { ...good, logRetentionDays: 8 }, /logRetentionDays: .*7.*14.*8/],
  ['what is no choice', { ...good, removalPolicy: 'maybe' }, /removalPolicy: .*keep.*destroy/],
  [
    'a subscriber without a number',
    { ...good, subscribers: [{ protocol: 'sms', endpoint: '555', gets: 'alarms' }] },
    /subscribers\.0\.endpoint: must be a number/,
  ],
  [
    'a mistyped detector',
    { ...good, detectors: { lables: false } },
    /detectors\.lables: is no setting; there are labels, text, faces, moderation, videoLabels/,
  ],
  ['a negative cap', { ...good, capPerMonth: -1 }, /capPerMonth: /],
  ['a label count that Rekognition refuses', { ...good, maxLabels: 1000 }, /maxLabels: .*100/],
])('says what is wrong with %s', async (_, content, message) => {
  const loading = await load(JSON.stringify(content));
  expect(loading).toThrow(InvalidInput);
  expect(loading).toThrow(message);
});

it('lists everything that is wrong at once', async () => {
  const loading = await load(JSON.stringify({ name: 'Pix Watch', region: 'x', maxLabels: 'many' }));
  for (const field of ['name', 'region', 'maxLabels']) expect(loading).toThrow(new RegExp(`${field}: `));
});

it('says when there are none, or they are not JSON', async () => {
  expect(() => loadSettings('/nowhere/pixwatch.config.json')).toThrow(/\/nowhere\/pixwatch\.config\.json cannot be read/);
  expect(await load('{ name: pixwatch }')).toThrow(/are not JSON/);
});
