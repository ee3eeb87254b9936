import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { safeFileName, saveOriginal } from '../../../../desktop/agent/media/saveOriginal.ts';
import { InvalidInput, Permanent, Transient } from '../../../../shared/errors.ts';
import { analyzedKey, originalMetadata } from '../../../../shared/keys.ts';
import type { AssetId, LibraryId } from '../../../../shared/model/asset.ts';
import { startTestServer, type TestServer } from '../../../cloud/local/s3/testServer.ts';

let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.remove());
beforeEach(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'pixwatch-save-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  folder = join(dir, 'new folder');
});

const assetOf = (content: string) => createHash('sha256').update(content).digest('hex') as AssetId;
const cloud = () => ({ s3: server.client, inputBucket: 'box' });

async function store(content: string, { name = 'Käfer.jpg', body = content } = {}) {
  const asset = assetOf(content);
  const key = analyzedKey({ library: 'local' as LibraryId, asset, ext: 'jpg' }, 'success');
  const Metadata = originalMetadata.write(name, '2020-01-02T03:04:05.000Z');
  await server.client.send(new PutObjectCommand({ Bucket: 'box', Key: key, Body: body, Metadata }));
  return { asset, original: { kind: 'stored', key } as const };
}

describe('saving an original', () => {
  it('makes a new file with its name, time and content, and leaves others alone', async () => {
    const { asset, original } = await store('beetle');
    const first = await saveOriginal(cloud(), asset, original, folder);
    const second = await saveOriginal(cloud(), asset, original, folder);
    expect([first.path, second.path]).toEqual([join(folder, 'Käfer.jpg'), join(folder, 'Käfer (2).jpg')]);
    expect(await readFile(first.path, 'utf8')).toBe('beetle');
    expect((await stat(first.path)).mtime.toISOString()).toBe('2020-01-02T03:04:05.000Z');
    expect(await readdir(folder)).toHaveLength(2);
  });

  it('saves nothing that is not what the library says it is', async () => {
    const { asset, original } = await store('right', { body: 'wrong' });
    await expect(saveOriginal(cloud(), asset, original, folder)).rejects.toThrow(Permanent);
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves nothing behind when it breaks off', async () => {
    const { asset, original } = await store('half');
    const s3 = Object.assign(Object.create(server.client), {
      async send() {
        return { Metadata: {}, Body: breakingOff() };
      },
    });
    await expect(saveOriginal({ s3, inputBucket: 'box' }, asset, original, folder)).rejects.toThrow(Transient);
    expect(await readdir(folder)).toEqual([]);
  });

  it('says why it cannot', async () => {
    const { asset, original } = await store('file');
    await writeFile(folder, 'a file, where a folder should be');
    await expect(saveOriginal(cloud(), asset, original, folder)).rejects.toThrow(/cannot be saved in .*new folder/);
    for (const kind of ['archived', 'restoring'] as const) {
      await expect(saveOriginal(cloud(), asset, { ...original, kind }, folder)).rejects.toThrow(InvalidInput);
    }
    await expect(saveOriginal(cloud(), asset, { kind: 'missing' }, folder)).rejects.toThrow(Permanent);
  });
});

async function* breakingOff() {
  yield Buffer.from('ha');
  throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
}

it.each([
  ['IMG_1.jpg', 'IMG_1.jpg'],
  ['../../.bashrc', '_.._.bashrc'],
  ['a/b\\c:d*e?f"g<h>i|j\n.jpg', 'a_b_c_d_e_f_g_h_i_j_.jpg'],
  ['con.jpg', 'fallback.jpg'],
  ['...', 'fallback.jpg'],
  [null, 'fallback.jpg'],
  ['ä'.repeat(200), 'fallback.jpg'],
  ['trailing. ', 'trailing'],
])('a name that came from elsewhere is no path: %j', (name, expected) => {
  expect(safeFileName(name, 'fallback.jpg')).toBe(expected);
});
