import { type CSSProperties, useState } from 'react';
import type { AssetId, AssetRecord } from '../../../shared/model/asset.ts';
import type { BoundingBox } from '../../../shared/model/label.ts';
import { mediaUrl } from '../connection.ts';
import { messages } from '../messages.ts';

interface PictureProps {
  readonly asset: AssetId;
  readonly record: AssetRecord | null;
  readonly boxes: readonly BoundingBox[];
}

const versions = { original: 'preview', pixelated: 'pixelated' } as const;
type Version = keyof typeof versions;

/** The picture as large as it fits, with boxes over it, as it is or with faces pixelated. */
export function Picture({ asset, record, boxes }: PictureProps) {
  const [version, setVersion] = useState<Version>('original');
  const renditions = record?.renditions ?? [];
  if (!renditions.includes('preview'))
    return (
      <div className="stage">
        <p className="stage-note">{messages.photo.noPicture}</p>
      </div>
    );
  return (
    <div className="stage">
      <div className="stage-fit">
        <Frame key={version} asset={asset} record={record} rendition={versions[version]} boxes={boxes} />
      </div>
      {renditions.includes('pixelated') ? (
        <VersionSwitch version={version} onChange={setVersion} />
      ) : (
        <p className="stage-hint">{record?.media?.kind === 'video' ? messages.photo.noSafeVideo : messages.photo.noSafeCopy}</p>
      )}
    </div>
  );
}

function Frame({ asset, record, rendition, boxes }: PictureProps & { rendition: 'preview' | 'pixelated' }) {
  const [broken, setBroken] = useState(false);
  const { width, height } = record?.media ?? {};
  // The style sheet fits the frame into the stage by this ratio, so that boxes in per cent lie where they belong.
  const style = { '--ratio': width && height ? width / height : 4 / 3 } as CSSProperties;
  if (broken) return <p className="stage-note">{messages.photo.pictureMissing}</p>;
  const url = rendition === 'pixelated' ? mediaUrl(asset, rendition, record?.changedAt) : mediaUrl(asset, rendition);
  return (
    <div className="frame" style={style}>
      <img className="frame-first" src={mediaUrl(asset, 'thumb')} alt="" hidden={rendition === 'pixelated'} />
      <img key={url} src={url} alt={record?.name ?? ''} onError={() => setBroken(true)} />
      {boxes.map(({ left, top, width: w, height: h }) => (
        <span
          key={`${left} ${top} ${w} ${h}`}
          className="box"
          style={{ left: `${left * 100}%`, top: `${top * 100}%`, width: `${w * 100}%`, height: `${h * 100}%` }}
        />
      ))}
    </div>
  );
}

function VersionSwitch({ version, onChange }: { version: Version; onChange(version: Version): void }) {
  return (
    <fieldset className="switch">
      <legend className="unseen">{messages.photo.version}</legend>
      {(['original', 'pixelated'] as const).map((option) => (
        <label key={option}>
          <input type="radio" name="version" checked={version === option} onChange={() => onChange(option)} />
          <span>{messages.photo[option]}</span>
        </label>
      ))}
    </fieldset>
  );
}
