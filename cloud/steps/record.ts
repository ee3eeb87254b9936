import * as v from 'valibot';
import type { AssetRecord } from '../../shared/model/asset.ts';
import { changeAsset, destinationOf, finish } from './assets.ts';
import { facesFile } from './detectFaces.ts';
import { loadLabels } from './detectLabels.ts';
import { loadModeration } from './detectModeration.ts';
import { loadText } from './detectText.ts';
import { readJson } from './objects.ts';
import { admitted, type Ended, facesFound, judged, knownOf, labelsFound, moderationFound, rendered, task, textFound } from './state.ts';

const input = v.object({
  ...admitted.entries,
  rendered,
  found: v.object({ labels: labelsFound, text: textFound, moderation: moderationFound, faces: facesFound }),
  judged,
});

/** Records what was found in a photo or video, unless another execution has taken the asset over meanwhile. */
export const record = task('Record', input, async (state, backend): Promise<Ended> => {
  const { library, asset, media, rendered, found, judged } = state;
  const [labels, text, moderation] = await Promise.all([
    loadLabels(backend, found.labels),
    loadText(backend, found.text),
    loadModeration(backend, found.moderation),
  ]);
  const { faces } = found.faces.known ? await readJson(backend, found.faces.key, facesFile) : { faces: null };
  const known = knownOf(media, rendered);
  const fitted = fitIn(maxBytes, {
    outcome: { kind: 'analysed', category: judged.category },
    media: known.media,
    labels,
    faces,
    text,
    moderation,
    renditions: [...known.renditions, ...(faces ? (['pixelated'] as const) : [])],
    matches: judged.matches,
  });
  return { destination: destinationOf(await changeAsset(backend, library, asset, finish(state, fitted))) };
});

type Found = Pick<AssetRecord, 'outcome' | 'media' | 'labels' | 'faces' | 'text' | 'moderation' | 'renditions' | 'matches'>;

/** An item's 32 KB less what every record has besides: keys, name, claim. DynamoDB's own form is no longer than JSON. */
const maxBytes = 30 * 1024;

const all = Number.POSITIVE_INFINITY;

/** What to keep of labels, of instances and times a label, and of lines of text, from everything down to what always fits. */
const limits = [
  { labels: all, instances: all, lines: all },
  ...[20, 5, 1, 0].map((instances) => ({ labels: all, instances, lines: all })),
  { labels: all, instances: 0, lines: 50 },
  ...[50, 20, 5, 0].map((labels) => ({ labels, instances: 0, lines: labels })),
];

/**
 * Leaves out the least certain until the rest fits: first where and when things are, then lines of text and whole labels. The files in the output
 * bucket still have everything.
 * @param bytes as JSON
 */
export function fitIn(bytes: number, found: Found): Found {
  let fitted = found;
  for (const limit of limits) {
    const labels = found.labels && mostCertain(found.labels, limit.labels);
    const kept = new Set(mostCertain(found.text ?? [], limit.lines));
    fitted = {
      ...found,
      labels:
        labels?.map((label) => ({
          ...label,
          instances: mostCertain(label.instances, limit.instances),
          ...(label.times && { times: label.times.slice(0, limit.instances) }),
        })) ?? null,
      // In their order, which is that of reading.
      text: found.text?.filter((line) => kept.has(line)) ?? null,
    };
    if (Buffer.byteLength(JSON.stringify(fitted)) <= bytes) break;
  }
  return fitted;
}

const mostCertain = <T extends { readonly confidence: number }>(list: readonly T[], keep: number): T[] =>
  list.toSorted((a, b) => b.confidence - a.confidence).slice(0, keep);
