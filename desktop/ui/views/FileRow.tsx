import type { LocalFile } from '../../../shared/contract.ts';
import type { FileState } from '../../../shared/model/localFile.ts';
import { useAgent } from '../agent.tsx';
import { useAction } from '../answers.ts';
import { formatBytes, splitPath } from '../format.ts';
import { messages } from '../messages.ts';
import { Problem } from '../parts/Problem.tsx';
import type { Place } from '../parts/Rows.tsx';
import { Thumb } from '../parts/Thumb.tsx';
import { useNavigation } from '../route.ts';

const tones: Record<FileState['kind'], 'good' | 'busy' | 'quiet' | 'bad'> = {
  settling: 'busy',
  queued: 'quiet',
  uploading: 'busy',
  analysing: 'busy',
  searchable: 'good',
  kept: 'quiet',
  waiting: 'quiet',
  rejected: 'bad',
  failed: 'bad',
  skipped: 'quiet',
  unreachable: 'bad',
};

/** Whether there is anything to be gained by asking for another try. */
const canBeTried = (state: FileState) => state.kind === 'failed' || (state.kind === 'analysing' && state.reason !== null);

/** One file with its state and reason, and what can be done about it. */
export function FileRow({ file: { path, asset, bytes, state }, place }: { file: LocalFile; place: Place }) {
  const { go } = useNavigation();
  const agent = useAgent();
  const { run, busy, problem } = useAction();
  const { folder, name } = splitPath(path);
  const reason = 'reason' in state ? state.reason : null;
  return (
    <li className="row" {...place}>
      {asset && <Thumb asset={asset} has={state.kind === 'searchable'} />}
      {!asset && <span className="thumb" />}
      <div className="row-main">
        {asset && state.kind !== 'queued' ? (
          <button type="button" className="link row-name" onClick={() => go({ asset })}>
            {name}
          </button>
        ) : (
          <span className="row-name">{name}</span>
        )}
        <span className="hint path">{folder}</span>
        {reason !== null && <span className="reason">{reason}</span>}
        <Problem text={problem} />
      </div>
      <div className="row-state">
        <span className={`state state-${tones[state.kind]}`}>{messages.activity.state(state.kind)}</span>
        <span className="hint">{formatBytes(bytes)}</span>
        {state.kind === 'uploading' && (
          <progress aria-label={messages.activity.state('uploading')} value={state.sent} max={Math.max(state.total, 1)} />
        )}
        {canBeTried(state) && (
          <button type="button" className="link" disabled={busy} onClick={() => void run(() => agent.retry({ path }))}>
            {messages.tryAgain}
          </button>
        )}
      </div>
    </li>
  );
}
