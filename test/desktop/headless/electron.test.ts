import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findElectron } from '../../../desktop/headless/electron.ts';

let dist: string;
beforeAll(async () => {
  dist = await mkdtemp(join(tmpdir(), 'pixwatch-electron-'));
  await writeFile(join(dist, 'electron'), '');
});
afterAll(() => rm(dist, { recursive: true }));

test('is found with a display and its binary', () => {
  const env = { DISPLAY: ':0', ELECTRON_OVERRIDE_DIST_PATH: dist };
  expect(findElectron(env, 'linux')).toEqual({ binary: join(dist, 'electron') });
  expect(findElectron({ ...env, DISPLAY: '', WAYLAND_DISPLAY: 'wayland-0' }, 'linux')).toEqual({ binary: join(dist, 'electron') });
});

test('says what is missing', () => {
  expect(findElectron({ ELECTRON_OVERRIDE_DIST_PATH: dist }, 'linux')).toEqual({ missing: 'There is no display.' });
  expect(findElectron({ DISPLAY: ':0', ELECTRON_OVERRIDE_DIST_PATH: '/nowhere' }, 'linux')).toEqual({
    missing: expect.stringContaining('not installed'),
  });
});

test('asks for no display where every session has one', async () => {
  await writeFile(join(dist, 'electron.exe'), '');
  expect(findElectron({ ELECTRON_OVERRIDE_DIST_PATH: dist }, 'win32')).toEqual({ binary: join(dist, 'electron.exe') });
});
