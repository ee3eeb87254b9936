import { type KeyboardEvent, useCallback, useState } from 'react';
import type { AssetDetail } from '../../../shared/contract.ts';
import type { AssetId } from '../../../shared/model/asset.ts';
import type { BoundingBox } from '../../../shared/model/label.ts';
import { useAnswer } from '../answers.ts';
import type { Agent } from '../connection.ts';
import { splitPath } from '../format.ts';
import { Icon } from '../icons.tsx';
import { messages } from '../messages.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { Problem } from '../parts/Problem.tsx';
import { useNavigation } from '../route.ts';
import { Facts } from './Facts.tsx';
import { Files } from './Files.tsx';
import { Findings } from './Findings.tsx';
import { History } from './History.tsx';
import { Picture } from './Picture.tsx';

const libraryEvents = ['libraryChanged'] as const;

/**
 * The photo that the address names, over the view that shows it.
 * @param among what "previous" and "next" go through
 */
export function OpenPhoto({ among }: { among: readonly { readonly asset: AssetId }[] }) {
  const { route, go } = useNavigation();
  if (!route.asset) return null;
  const index = among.findIndex(({ asset }) => asset === route.asset);
  const show = (asset: AssetId) => go({ asset }, 'replace');
  return (
    <Detail
      asset={route.asset}
      previous={index > 0 ? among[index - 1]?.asset : undefined}
      next={index >= 0 ? among[index + 1]?.asset : undefined}
      onShow={show}
      onClose={() => go({ asset: null })}
    />
  );
}

interface DetailProps {
  readonly asset: AssetId;
  readonly previous: AssetId | undefined;
  readonly next: AssetId | undefined;
  onShow(asset: AssetId): void;
  onClose(): void;
}

function Detail({ asset, previous, next, onShow, onClose }: DetailProps) {
  const { answer, problem } = useAnswer(
    useCallback((agent: Agent) => agent.asset({ asset }), [asset]),
    libraryEvents,
  );
  const detail = answer?.asset === asset ? answer : null;
  const turn = ({ key, target }: KeyboardEvent) => {
    // The arrow keys belong to the control that has the focus when it uses them itself.
    if (target instanceof HTMLInputElement) return;
    const neighbour = { ArrowLeft: previous, ArrowRight: next }[key];
    if (neighbour) onShow(neighbour);
  };
  return (
    <Dialog title={detail ? titleOf(detail) : messages.photo.title} className="detail" onClose={onClose} onKeyDown={turn}>
      {detail ? <Contents key={asset} detail={detail} /> : <Waiting problem={problem} />}
      <Turn name="previous" to={previous} onShow={onShow} />
      <Turn name="next" to={next} onShow={onShow} />
    </Dialog>
  );
}

function Waiting({ problem }: { problem: string | null }) {
  return (
    <div className="detail-waiting">
      {problem === null && <p className="hint">{messages.loading}</p>}
      <Problem text={problem} />
    </div>
  );
}

function Turn({ name, to, onShow }: { name: 'previous' | 'next'; to: AssetId | undefined; onShow(asset: AssetId): void }) {
  return (
    <button type="button" className={`turn turn-${name}`} aria-label={messages.photo[name]} disabled={!to} onClick={() => to && onShow(to)}>
      <Icon name={name} />
    </button>
  );
}

const titleOf = ({ record, files: [file], asset }: AssetDetail) =>
  file ? splitPath(file.path).name : (record?.name ?? asset.slice(0, 12));

function Contents({ detail: { asset, record, files } }: { detail: AssetDetail }) {
  const [boxes, setBoxes] = useState<readonly BoundingBox[]>([]);
  return (
    <div className="detail-body">
      <Picture asset={asset} record={record} boxes={boxes} />
      <div className="detail-panel">
        {record ? (
          <>
            <Outcome outcome={record.outcome} matches={record.matches.map(({ name, because }) => `${name} (${because})`)} />
            {record.outcome.kind === 'analysed' && <Findings record={record} onBoxes={setBoxes} />}
            {record.media && <Facts media={record.media} />}
          </>
        ) : (
          <p className="note">{messages.photo.waiting}</p>
        )}
        <Files asset={asset} files={files} />
        <History asset={asset} />
      </div>
    </div>
  );
}

function Outcome({ outcome, matches }: { outcome: NonNullable<AssetDetail['record']>['outcome']; matches: readonly string[] }) {
  switch (outcome.kind) {
    case 'pending':
      return <p className="note">{messages.photo.waiting}</p>;
    case 'analysed':
      return matches.length > 0 ? <p className="note note-match">{messages.photo.matched(matches.join(', '))}</p> : null;
    case 'kept':
    case 'waiting':
      return <p className="note">{messages.photo.outcome[outcome.kind](outcome.reason)}</p>;
    default:
      return <p className="note note-bad">{messages.photo.outcome[outcome.kind](outcome.reason)}</p>;
  }
}
