import { type CSSProperties, useState } from 'react';
import { type AssetId, type AssetRecord, type GridSize, gridSizes, type PictureName } from '../../../shared/model/asset.ts';
import type { BoundingBox } from '../../../shared/model/label.ts';
import { useAction } from '../answers.ts';
import { mediaUrl } from '../connection.ts';
import { messages } from '../messages.ts';
import { saveMosaic } from '../mosaic.ts';
import { Problem } from '../parts/Problem.tsx';

interface PictureProps {
  readonly asset: AssetId;
  readonly record: AssetRecord | null;
  readonly boxes: readonly BoundingBox[];
}

type Version = 'original' | 'pixelated' | 'mosaic';

/** The picture as large as it fits, with boxes over it: as it is, with faces pixelated, or as a mosaic. */
export function Picture({ asset, record, boxes }: PictureProps) {
  const [version, setVersion] = useState<Version>('original');
  const [cells, setCells] = useState<GridSize>(16);
  const renditions = record?.renditions ?? [];
  if (!renditions.includes('preview'))
    return (
      <div className="stage">
        <p className="stage-note">{messages.photo.noPicture}</p>
      </div>
    );
  const isVideo = record?.media?.kind === 'video';
  const isSafe = renditions.includes('pixelated');
  const versions: Version[] = ['original', ...(isSafe ? ['pixelated' as const] : []), ...(isVideo ? [] : ['mosaic' as const])];
  const picture = { original: 'preview', pixelated: 'pixelated', mosaic: `grid-${cells}` } as const;
  return (
    <div className="stage">
      <div className="stage-fit">
        <Frame key={picture[version]} asset={asset} record={record} picture={picture[version]} boxes={boxes} />
      </div>
      {!isSafe && <p className="stage-hint">{isVideo ? messages.photo.noSafeVideo : messages.photo.noSafeCopy}</p>}
      {versions.length > 1 && (
        <Switch
          legend={messages.photo.version}
          options={versions}
          chosen={version}
          nameOf={(of) => messages.photo[of]}
          onChange={(of) => setVersion(of)}
        />
      )}
      {version === 'mosaic' && record && (
        <div className="mosaic">
          <Switch legend={messages.photo.cells} options={gridSizes} chosen={cells} nameOf={String} onChange={(of) => setCells(of)} />
          <SaveMosaic asset={asset} record={record} cells={cells} />
        </div>
      )}
    </div>
  );
}

function Frame({ asset, record, picture, boxes }: PictureProps & { picture: PictureName }) {
  const [broken, setBroken] = useState(false);
  const { width, height } = record?.media ?? {};
  // The style sheet fits the frame into the stage by this ratio, so that boxes in per cent lie where they belong.
  const style = { '--ratio': width && height ? width / height : 4 / 3 } as CSSProperties;
  if (broken) return <p className="stage-note">{messages.photo.pictureMissing}</p>;
  const url = picture === 'pixelated' ? mediaUrl(asset, picture, record?.changedAt) : mediaUrl(asset, picture);
  return (
    <div className={picture.startsWith('grid-') ? 'frame frame-mosaic' : 'frame'} style={style}>
      <img className="frame-first" src={mediaUrl(asset, 'thumb')} alt="" hidden={picture !== 'preview'} />
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

interface SwitchProps<Option> {
  readonly legend: string;
  readonly options: readonly Option[];
  readonly chosen: Option;
  nameOf(option: Option): string;
  onChange(option: Option): void;
}

function Switch<Option extends string | number>({ legend, options, chosen, nameOf, onChange }: SwitchProps<Option>) {
  return (
    <fieldset className="switch">
      <legend className="unseen">{legend}</legend>
      {options.map((option) => (
        <label key={option}>
          <input type="radio" name={legend} checked={chosen === option} onChange={() => onChange(option)} />
          <span>{nameOf(option)}</span>
        </label>
      ))}
    </fieldset>
  );
}

function SaveMosaic({ asset, record, cells }: { asset: AssetId; record: AssetRecord; cells: GridSize }) {
  const { run, busy, problem } = useAction();
  const save = () => run(() => saveMosaic(asset, record, cells));
  return (
    <>
      <button type="button" onClick={save} disabled={busy}>
        {messages.photo.saveMosaic}
      </button>
      <Problem text={problem} />
    </>
  );
}
