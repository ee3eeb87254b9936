import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runInNewContext } from 'node:vm';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { cut, type Pixels } from './pixels.ts';
import { viewsOf } from './scenes.ts';
import { imageTensor } from './tensors.ts';

/** How likely a picture is each of these, 0–1; they sum up to 1. */
export interface Suitability {
  readonly drawing: number;
  readonly hentai: number;
  readonly neutral: number;
  readonly porn: number;
  readonly sexy: number;
}

const side = 224;

/** Loads the classifier. The function it gives says how suitable a picture is. */
export async function loadModeration(path: string): Promise<(picture: Pixels) => Promise<Suitability>> {
  const model = await loadLayersModel(bundledModel(path));
  const classify = async (rgb: Buffer) => {
    const output = tf.tidy(() => model.predict(tf.div(tf.cast(imageTensor(rgb, side), 'float32'), 255)) as tf.Tensor);
    const likely = await output.data<'float32'>();
    output.dispose();
    return likely;
  };
  return async (picture) => {
    const views = viewsOf(picture);
    const likely: Float32Array[] = [];
    for (const view of views) likely.push(await classify(await cut(picture, view, side, { keepShape: false })));
    const mean = (index: number) => likely.reduce((sum, values) => sum + (values[index] ?? 0) / views.length, 0);
    return { drawing: mean(0), hentai: mean(1), neutral: mean(2), porn: mean(3), sexy: mean(4) };
  };
}

/** Reads a model that was published as CommonJS modules: `model.min.js`, and each shard of its weights as base64 in `<shard>.min.js`. */
function bundledModel(path: string): tf.io.IOHandler {
  return {
    load: async () => {
      const { modelTopology, weightsManifest } = (await bundled(path)) as tf.io.ModelJSON;
      const names = weightsManifest.flatMap((group) => group.paths);
      const shards = await Promise.all(names.map(async (name) => bundled(join(dirname(path), `${name}.min.js`))));
      const weights = Buffer.concat(shards.map((shard) => Buffer.from(String(shard), 'base64')));
      return {
        modelTopology,
        weightSpecs: weightsManifest.flatMap((group) => group.weights),
        weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.length),
      };
    },
  };
}

/** What a CommonJS module exports. The file's hash was checked; run with nothing at hand, all it can do is to make text. */
async function bundled(path: string): Promise<unknown> {
  const code = `const exports = {}, module = { exports };\n${await readFile(path, 'utf8')};\nJSON.stringify(module.exports)`;
  return JSON.parse(runInNewContext(code, {}, { filename: path }));
}
