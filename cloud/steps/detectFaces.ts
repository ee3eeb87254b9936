import { DetectFacesCommand } from '@aws-sdk/client-rekognition';
import * as v from 'valibot';
import { Permanent } from '../../shared/errors.ts';
import { rawKey } from '../../shared/keys.ts';
import { face } from '../../shared/model/label.ts';
import { writeJson } from './objects.ts';
import { analysisCopy, boxOf, percent } from './rekognition.ts';
import { claimant, type Detected, task } from './state.ts';

/** raw/faces.json in the output bucket: the faces, and beside them what Rekognition answered. */
export const facesFile = v.object({ faces: v.array(face) });

/** DetectFaces answers the 100 largest faces and does not say whether there were more. */
const maxFaces = 100;

/**
 * Finds the faces of a picture.
 * @throws Permanent when there may be more than were answered, so that not all could be pixelated
 */
export const detectFaces = task('DetectFaces', claimant, async ({ library, asset }, backend): Promise<Detected> => {
  const answer = await backend.rekognition.send(new DetectFacesCommand({ Image: analysisCopy(backend, library, asset) }));
  const details = answer.FaceDetails ?? [];
  if (details.length >= maxFaces) throw new Permanent(`There are ${maxFaces} faces or more: not all of them could be made unrecognisable.`);
  const faces = details.map(({ BoundingBox, Confidence }) => ({ box: boxOf(BoundingBox), confidence: percent(Confidence) }));
  const key = rawKey(library, asset, 'faces');
  await writeJson(backend, key, { faces, answer: details });
  return { key, summary: faces.length === 1 ? '1 face' : `${faces.length} faces` };
});
