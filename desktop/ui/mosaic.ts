import type { AssetId, AssetRecord, GridSize } from '../../shared/model/asset.ts';
import { mediaUrl } from './connection.ts';
import { messages } from './messages.ts';

/**
 * Has the browser save a photo as a mosaic of `cells` × `cells` blocks, as large as the photo.
 * @throws when the grid cannot be had right now
 */
export async function saveMosaic(asset: AssetId, { name, media }: AssetRecord, cells: GridSize): Promise<void> {
  const grid = new Image();
  grid.src = mediaUrl(asset, `grid-${cells}`);
  await grid.decode().catch((cause) => {
    throw new Error(messages.photo.pictureMissing, { cause });
  });
  const canvas = document.createElement('canvas');
  canvas.width = media?.width ?? cells;
  canvas.height = media?.height ?? cells;
  const drawing = canvas.getContext('2d');
  if (!drawing) throw new Error(messages.photo.pictureMissing);
  drawing.imageSmoothingEnabled = false;
  drawing.drawImage(grid, 0, 0, canvas.width, canvas.height);
  const { promise, resolve } = Promise.withResolvers<Blob | null>();
  canvas.toBlob(resolve, 'image/png');
  const blob = await promise;
  if (!blob) throw new Error(messages.photo.pictureMissing);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = `${(name ?? asset.slice(0, 12)).replace(/\.[^.]*$/, '')}-mosaic-${cells}.png`;
  link.click();
  URL.revokeObjectURL(link.href);
}
