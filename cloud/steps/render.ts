import { inboxKey, renditionKey } from '../../shared/keys.ts';
import { pictures } from '../../shared/model/asset.ts';
import { bodyOf, openOriginal, writeOutput } from './objects.ts';
import { decodePhoto, encodeGrids, encodeRenditions } from './pictures.ts';
import { claimant, type Rendered, task } from './state.ts';

/**
 * Makes a photo's renditions (thumb, preview, analysis copy) and pixelation grids.
 * @throws Permanent when the picture is damaged or too large
 */
export const render = task('Render', claimant, async (who, backend): Promise<Rendered> => {
  const { library, asset } = who;
  const photo = await decodePhoto(await bodyOf(await openOriginal(backend, inboxKey(who))));
  const [encoded, grids] = await Promise.all([encodeRenditions(photo), encodeGrids(photo.pixels)]);
  await Promise.all([
    ...(['thumb', 'preview', 'analysis'] as const).map((rendition) =>
      writeOutput(backend, renditionKey(library, asset, rendition), pictures[rendition].type, encoded[rendition]),
    ),
    ...grids.map(({ grid, png }) => writeOutput(backend, renditionKey(library, asset, `grid-${grid}`), pictures[`grid-${grid}`].type, png)),
  ]);
  return { ...photo.size, animated: photo.animated };
});
