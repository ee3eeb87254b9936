import { DetectLabelsCommand, type DetectLabelsCommandOutput, type Label as RekognitionLabel } from '@aws-sdk/client-rekognition';
import * as v from 'valibot';
import { labelsKey } from '../../shared/keys.ts';
import { type Label, label } from '../../shared/model/label.ts';
import type { Backend } from './backend.ts';
import { readJson, writeJson } from './objects.ts';
import { analysisCopy, askOnce, boxOf, percent } from './rekognition.ts';
import { claimant, type LabelsFound, task } from './state.ts';

/** labels.json in the output bucket: an asset's labels, the most certain first. */
export const labelsFile = v.object({ labels: v.array(label) });

/** Finds out what is in the picture, unless that is switched off. Writes what Rekognition answered and, for people and programs, labels.json. */
export const detectLabels = task('DetectLabels', claimant, async ({ library, asset }, backend): Promise<LabelsFound> => {
  const { minConfidence, maxLabels } = backend.settings;
  const request = { MinConfidence: minConfidence, MaxLabels: maxLabels };
  const answered = await askOnce(backend, {
    ...{ library, asset, api: 'DetectLabels', name: 'labels', settings: request },
    ask: () => backend.rekognition.send(new DetectLabelsCommand({ Image: analysisCopy(backend, library, asset), ...request })),
  });
  if (!answered) return { known: false };
  const labels = labelsOf(answered.answer);
  const key = labelsKey(library, asset);
  await writeJson(backend, key, { labels });
  return { known: true, key, summary: summaryOf(labels) };
});

/** Rekognition's answer as labels, the most certain first; one without a name is left out. */
export function labelsOf({ Labels = [] }: Pick<DetectLabelsCommandOutput, 'Labels'>): Label[] {
  return Labels.flatMap((found) => labelOf(found) ?? []).toSorted((a, b) => b.confidence - a.confidence);
}

/** Rekognition's label; null when it has no name. */
export function labelOf({ Name, Confidence, Parents = [], Categories = [], Instances = [] }: RekognitionLabel): Label | null {
  if (!Name) return null;
  const instances = Instances.map((instance) => ({ box: boxOf(instance.BoundingBox), confidence: percent(instance.Confidence) }));
  const names = (list: readonly { Name?: string | undefined }[]) => list.flatMap((entry) => entry.Name ?? []);
  return { name: Name, confidence: percent(Confidence), parents: names(Parents), categories: names(Categories), instances };
}

/** The labels that `detectLabels` found; null when they are not known. */
export async function loadLabels(backend: Backend, found: LabelsFound): Promise<Label[] | null> {
  return found.known ? (await readJson(backend, found.key, labelsFile)).labels : null;
}

/** The most certain labels, for an execution's history. */
export function summaryOf(labels: readonly Label[]): string {
  const few = labels.slice(0, 5).map(({ name, confidence }) => `${name} ${Math.floor(confidence)} %`);
  return few.length === 0 ? 'nothing found' : few.join(', ');
}
