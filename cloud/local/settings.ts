import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { InvalidInput } from '../../shared/errors.ts';
import { parse } from '../../shared/parse.ts';
import { type PipelineSettings, pipelineSettings } from '../steps/backend.ts';

const { minConfidence, maxLabels, detectors } = pipelineSettings.entries;
/** What of the pipeline's settings means something where nothing is billed. */
const localSettings = v.strictObject({ minConfidence, maxLabels, detectors });

/**
 * What a person set for this computer's cloud; read when it opens.
 * @param path of a JSON file; nothing is set when it is missing
 * @throws InvalidInput naming the file and what is wrong in it
 */
export async function readSettings(path: string): Promise<Partial<PipelineSettings>> {
  const text = await readFile(path, 'utf8').catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return null;
    throw new InvalidInput(`${path} cannot be read: ${thrown.message}.`, { cause: thrown });
  });
  if (text === null) return {};
  let settings: unknown;
  try {
    settings = JSON.parse(text);
  } catch (cause) {
    throw new InvalidInput(`${path} is no JSON. It must be like {"minConfidence": 55, "maxLabels": 10}.`, { cause });
  }
  return parse(localSettings, settings, path);
}
