import { DetectFacesCommand, type DetectFacesCommandOutput } from '@aws-sdk/client-rekognition';
import * as v from 'valibot';
import { Permanent } from '../../shared/errors.ts';
import { type BoundingBox, type Face, face } from '../../shared/model/label.ts';
import { analysisCopy, askOnce, boxOf, percent } from './rekognition.ts';
import { claimant, type FacesFound, task } from './state.ts';

/** raw/faces.json in the output bucket: the faces, and beside them what Rekognition answered. */
export const facesFile = v.object({ faces: v.array(face) });

/** DetectFaces answers the 100 largest faces and does not say whether there were more. */
const maxFaces = 100;

/**
 * Finds the faces of a picture, unless that is switched off.
 * @throws Permanent when there may be more than were answered, or one is nowhere in the picture, so that not all could be pixelated
 */
export const detectFaces = task('DetectFaces', claimant, async ({ library, asset }, backend): Promise<FacesFound> => {
  const answered = await askOnce(backend, {
    ...{ library, asset, api: 'DetectFaces', name: 'faces', settings: {} },
    ask: () => backend.rekognition.send(new DetectFacesCommand({ Image: analysisCopy(backend, library, asset) })),
    derive: (answer) => ({ faces: facesOf(answer) }),
  });
  if (!answered) return { known: false };
  const faces = facesOf(answered.answer);
  const { length } = faces;
  if (length >= maxFaces) throw new Permanent(`There are ${maxFaces} faces or more: not all of them could be made unrecognisable.`);
  if (!faces.every(({ box }) => isInPicture(box)))
    throw new Permanent('There is a face of which it is not known where it is in the picture.');
  return { known: true, key: answered.key, summary: length === 1 ? '1 face' : `${length} faces` };
});

const isInPicture = ({ left, top, width, height }: BoundingBox) =>
  width > 0 && height > 0 && left < 1 && top < 1 && left + width > 0 && top + height > 0;

const facesOf = ({ FaceDetails = [] }: Pick<DetectFacesCommandOutput, 'FaceDetails'>): Face[] =>
  FaceDetails.map(({ BoundingBox, Confidence }) => ({ box: boxOf(BoundingBox), confidence: percent(Confidence) }));
