import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { pixwatchDataDir, pixwatchModelsDir } from '../../../desktop/host/dataDir.ts';

const home = '/home/ann';

test.each<[string, NodeJS.ProcessEnv, string | undefined, NodeJS.Platform, string]>([
  ['--data first', { HOME: home, PIXWATCH_DATA: '/env', XDG_DATA_HOME: '/xdg' }, '/chosen', 'linux', '/chosen'],
  ['a relative --data', { HOME: home }, 'here', 'linux', resolve('here')],
  ['one typed where npm was started', { HOME: home, npm_lifecycle_event: 'start', INIT_CWD: '/typed' }, 'here', 'linux', '/typed/here'],
  [
    'a relative PIXWATCH_DATA there',
    { npm_lifecycle_event: 'start', INIT_CWD: '/typed', PIXWATCH_DATA: 'x' },
    undefined,
    'linux',
    '/typed/x',
  ],
  ['then PIXWATCH_DATA', { HOME: home, PIXWATCH_DATA: '/env', XDG_DATA_HOME: '/xdg' }, undefined, 'linux', '/env'],
  ['then XDG_DATA_HOME', { HOME: home, XDG_DATA_HOME: '/xdg' }, undefined, 'linux', '/xdg/pixwatch'],
  ['else the usual place on Linux', { HOME: home }, undefined, 'linux', '/home/ann/.local/share/pixwatch'],
  ['on a Mac', { HOME: home, XDG_DATA_HOME: '/xdg' }, undefined, 'darwin', '/home/ann/Library/Application Support/pixwatch'],
  ['on Windows', { APPDATA: '/roaming' }, undefined, 'win32', '/roaming/pixwatch'],
  ['empty variables count as unset', { HOME: home, PIXWATCH_DATA: '', XDG_DATA_HOME: '' }, '', 'linux', '/home/ann/.local/share/pixwatch'],
])('data folder: %s', (_, env, chosen, platform, expected) => {
  expect(pixwatchDataDir(env, chosen, platform)).toBe(expected);
});

test('models are shared by all data folders', () => {
  expect(pixwatchModelsDir({ HOME: home, PIXWATCH_DATA: '/env' }, 'linux')).toBe(join(home, '.local/share/pixwatch/models'));
  expect(pixwatchModelsDir({ HOME: home, PIXWATCH_MODELS: '/models' }, 'linux')).toBe('/models');
});
