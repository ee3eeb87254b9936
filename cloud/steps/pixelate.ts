import * as v from 'valibot';
import { renditionKey } from '../../shared/keys.ts';
import { renditions } from '../../shared/model/asset.ts';
import { facesFile } from './detectFaces.ts';
import { readJson, readOutput, writeOutput } from './objects.ts';
import { decodeRendition, jpegStream } from './pictures.ts';
import { pixelateFaces } from './pixelatePicture.ts';
import { fitInside } from './pixels.ts';
import { claimant, type FacesFound, facesFound, task } from './state.ts';

const input = v.object({ ...claimant.entries, faces: facesFound, rendered: v.object({ width: v.number(), height: v.number() }) });

/**
 * Makes the safe share, when the faces are known: the picture with every face made unrecognisable and without any metadata. It is made of the analysis copy, so
 * that it can be made again when the original is archived.
 */
export const pixelate = task('Pixelate', input, async ({ library, asset, faces: found, rendered }, backend): Promise<FacesFound> => {
  if (!found.known) return found;
  const { faces } = await readJson(backend, found.key, facesFile);
  const pixels = await decodeRendition(await readOutput(backend, renditionKey(library, asset, 'analysis')));
  await pixelateFaces(
    pixels,
    faces.map((face) => face.box),
  );
  // The analysis copy of a tiny picture is enlarged; its share is not.
  const share = jpegStream(pixels, fitInside(rendered, Math.max(pixels.width, pixels.height)));
  await writeOutput(backend, renditionKey(library, asset, 'pixelated'), renditions.pixelated.type, share);
  return found;
});
