import { DetectModerationLabelsCommand, type DetectModerationLabelsCommandOutput } from '@aws-sdk/client-rekognition';
import * as v from 'valibot';
import { type ModerationLabel, moderationLabel } from '../../shared/model/label.ts';
import type { Backend } from './backend.ts';
import { readJson } from './objects.ts';
import { analysisCopy, askOnce, percent } from './rekognition.ts';
import { claimant, type ModerationFound, task } from './state.ts';

/** raw/moderation.json in the output bucket: the moderation labels, and beside them what Rekognition answered. */
const moderationFile = v.object({ moderation: v.array(moderationLabel) });

/** Finds out whether a picture is not for everybody's eyes, unless that is switched off. */
export const detectModeration = task('DetectModeration', claimant, async ({ library, asset }, backend): Promise<ModerationFound> => {
  const answered = await askOnce(backend, {
    ...{ library, asset, api: 'DetectModerationLabels', name: 'moderation', settings: {} },
    ask: () => backend.rekognition.send(new DetectModerationLabelsCommand({ Image: analysisCopy(backend, library, asset) })),
    derive: (answer) => ({ moderation: moderationOf(answer) }),
  });
  if (!answered) return { known: false };
  const names = moderationOf(answered.answer).map(({ name }) => name);
  return { known: true, key: answered.key, summary: names.join(', ').slice(0, 1024) || 'nothing found' };
});

type Answer = Pick<DetectModerationLabelsCommandOutput, 'ModerationLabels'>;

/** Rekognition's answer as moderation labels, each with all of its parents; one without a name is left out. */
export function moderationOf({ ModerationLabels = [] }: Answer): ModerationLabel[] {
  const parentOf = new Map(ModerationLabels.map(({ Name, ParentName }) => [Name, ParentName]));
  const parentsOf = (name: string): string[] => {
    const parent = parentOf.get(name);
    return parent ? [parent, ...parentsOf(parent)] : [];
  };
  return ModerationLabels.flatMap(({ Name, Confidence }) => {
    return Name ? [{ name: Name, confidence: percent(Confidence), parents: parentsOf(Name) }] : [];
  });
}

/** What `detectModeration` found; null when it is not known. */
export async function loadModeration(backend: Backend, found: ModerationFound): Promise<ModerationLabel[] | null> {
  return found.known ? (await readJson(backend, found.key, moderationFile)).moderation : null;
}
