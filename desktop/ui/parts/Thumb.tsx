import { useState } from 'react';
import type { AssetId, Rendition } from '../../../shared/model/asset.ts';
import { mediaUrl } from '../connection.ts';
import { Icon, type IconName } from '../icons.tsx';

interface ThumbProps {
  readonly asset: AssetId;
  /** Shown instead of a picture that does not exist or cannot be loaded. */
  readonly fallback?: IconName;
  readonly has?: boolean;
  readonly rendition?: Rendition;
}

/** A small picture of an asset; decoration, so a name must stand beside it. */
export function Thumb({ asset, has = true, fallback = 'library', rendition = 'thumb' }: ThumbProps) {
  const [broken, setBroken] = useState(false);
  if (!has || broken) return <span className="thumb thumb-missing">{<Icon name={fallback} />}</span>;
  return <img className="thumb" src={mediaUrl(asset, rendition)} alt="" loading="lazy" decoding="async" onError={() => setBroken(true)} />;
}
