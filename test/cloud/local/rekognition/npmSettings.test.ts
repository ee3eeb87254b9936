import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ensurePackages } from '../../../../cloud/local/rekognition/models/ensureModels.ts';
import { readNpmSettings } from '../../../../cloud/local/rekognition/models/npmSettings.ts';
import { InvalidInput } from '../../../../shared/errors.ts';
import { scratchDir } from '../serve.ts';
import { packageOf, serveRegistry } from './registry.ts';

describe("npm's own settings", () => {
  test('come from the global and the user file, then from the environment', async () => {
    const home = await scratchDir();
    const cafile = join(home, 'ca.pem');
    const global = join(home, 'global-npmrc');
    await writeFile(cafile, 'a certificate');
    await writeFile(global, 'registry=https://global.example/\nproxy = http://global.example:3128\n');
    await writeFile(
      join(home, '.npmrc'),
      `; a comment\n# another\nregistry = "https://user.example/"\r\nstrict-ssl=false\ncafile=${cafile}\n` +
        `noproxy=localhost\n@vladmandic:registry=https://scope.example/\n//user.example/:_authToken=\${TOKEN}\nfund=false\n`,
    );
    const env = { npm_config_globalconfig: global, NPM_CONFIG_HTTPS_PROXY: 'http://proxy.example', npm_config_fund: '', TOKEN: 'secret' };
    expect(readNpmSettings(env, home)).toEqual({
      registry: 'https://user.example/',
      proxy: 'http://global.example:3128',
      httpsProxy: 'http://proxy.example',
      noProxy: 'localhost',
      strictSSL: false,
      ca: 'a certificate',
      '@vladmandic:registry': 'https://scope.example/',
      '//user.example/:_authToken': 'secret',
    });
    expect(readNpmSettings({ ...env, npm_config_registry: 'https://env.example/' }, home)).toMatchObject({
      registry: 'https://env.example/',
    });
  });

  test('are none on a machine without npm', async () => {
    expect(readNpmSettings({}, await scratchDir())).toEqual({});
  });

  test('that cannot be read are told by their path', async () => {
    const home = await scratchDir();
    expect(() => readNpmSettings({ npm_config_userconfig: home }, home)).toThrow(InvalidInput);
    expect(() => readNpmSettings({ npm_config_userconfig: home }, home)).toThrow(home);
  });

  test('reach the registry with their token', async () => {
    const home = await scratchDir();
    const published = await packageOf(home, 'eyes', { 'eyes.bin': Buffer.from('weights') }, ['eyes.bin']);
    const registry = await serveRegistry([published]);
    await writeFile(join(home, '.npmrc'), `registry=${registry.url}\n${registry.url.replace('http:', '')}:_authToken=secret\n`);
    await ensurePackages([published.item], { dir: join(home, 'models'), npm: readNpmSettings({}, home), onProgress: () => {} });
    expect(registry.authorizations).toEqual(['Bearer secret', 'Bearer secret']);
  });
});
