import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

/** Makes WebAssembly compute. Without threads: several workers use the cores better than one model run does. */
export async function startTensors(): Promise<void> {
  const library = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(`${dirname(library)}/`);
  await tf.setBackend('wasm');
}

/** Reads a model from its `model.json` and the weight files beside it. */
export function modelFile(path: string): tf.io.IOHandler {
  return {
    load: async () => {
      const { modelTopology, weightsManifest } = JSON.parse(await readFile(path, 'utf8')) as tf.io.ModelJSON;
      const shards = await Promise.all(weightsManifest.flatMap((group) => group.paths.map((name) => readFile(join(dirname(path), name)))));
      const weights = Buffer.concat(shards);
      return {
        modelTopology,
        weightSpecs: weightsManifest.flatMap((group) => group.weights),
        weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.length),
      };
    },
  };
}

/** A square picture of `side` pixels as a batch of one, with values 0–255. */
export function imageTensor(rgb: Buffer, side: number): tf.Tensor4D {
  return tf.tensor4d(new Uint8Array(rgb.buffer, rgb.byteOffset, rgb.length), [1, side, side, 3], 'int32');
}
