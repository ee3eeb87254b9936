import { DetectTextCommand, type DetectTextCommandOutput } from '@aws-sdk/client-rekognition';
import * as v from 'valibot';
import { type TextLine, textLine } from '../../shared/model/label.ts';
import type { Backend } from './backend.ts';
import { readJson } from './objects.ts';
import { analysisCopy, askOnce, boxOf, percent } from './rekognition.ts';
import { claimant, type TextFound, task } from './state.ts';

/** raw/text.json in the output bucket: the lines, and beside them what Rekognition answered, with every word. */
const textFile = v.object({ text: v.array(textLine) });

/** Reads the text in a picture, unless that is switched off. Rekognition reads 100 words at most. */
export const detectText = task('DetectText', claimant, async ({ library, asset }, backend): Promise<TextFound> => {
  const answered = await askOnce(backend, {
    ...{ library, asset, api: 'DetectText', name: 'text', settings: {} },
    ask: () => backend.rekognition.send(new DetectTextCommand({ Image: analysisCopy(backend, library, asset) })),
    derive: (answer) => ({ text: linesOf(answer) }),
  });
  if (!answered) return { known: false };
  const lines = linesOf(answered.answer).length;
  return { known: true, key: answered.key, summary: lines === 1 ? '1 line' : `${lines} lines` };
});

/** Rekognition's answer as lines, in its order, which is that of reading. */
export function linesOf({ TextDetections = [] }: Pick<DetectTextCommandOutput, 'TextDetections'>): TextLine[] {
  return TextDetections.flatMap(({ Type, DetectedText, Confidence, Geometry }) => {
    if (Type !== 'LINE' || !DetectedText) return [];
    return [{ text: DetectedText, confidence: percent(Confidence), box: boxOf(Geometry?.BoundingBox) }];
  });
}

/** The lines that `detectText` read; null when they are not known. */
export async function loadText(backend: Backend, found: TextFound): Promise<TextLine[] | null> {
  return found.known ? (await readJson(backend, found.key, textFile)).text : null;
}
