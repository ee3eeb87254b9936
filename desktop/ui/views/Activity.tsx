import { useCallback, useMemo, useState } from 'react';
import type { LocalFile, Status } from '../../../shared/contract.ts';
import { type FileStateKind, unfinishedKinds } from '../../../shared/model/localFile.ts';
import { useAgent, useConnection } from '../agent.tsx';
import { useAction, usePages } from '../answers.ts';
import type { Agent } from '../connection.ts';
import { formatBytes, formatDuration } from '../format.ts';
import { messages } from '../messages.ts';
import { Problem } from '../parts/Problem.tsx';
import { ProgressBar } from '../parts/ProgressBar.tsx';
import { type Place, Rows } from '../parts/Rows.tsx';
import { OpenPhoto } from './Detail.tsx';
import { FileRow } from './FileRow.tsx';
import { KeptVideos } from './KeptVideos.tsx';

const groups = {
  all: [],
  working: unfinishedKinds,
  attention: ['failed', 'unreachable'],
  leftOut: ['kept', 'waiting', 'rejected', 'skipped'],
  searchable: ['searchable'],
} as const satisfies Record<string, readonly FileStateKind[]>;
type Group = keyof typeof groups;

/** What is being done, and the one state of every file. */
export function Activity() {
  const { status } = useConnection();
  const [group, setGroup] = useState<Group>('all');
  return (
    <div className="view">
      <h1>{messages.views.activity}</h1>
      {status && (
        <>
          <Summary status={status} />
          {(status.files.kept ?? 0) > 0 && <KeptVideos />}
          <GroupSwitch group={group} counts={status.files} onChange={setGroup} />
        </>
      )}
      <FileList group={group} />
    </div>
  );
}

function Summary({ status }: { status: Status }) {
  const agent = useAgent();
  const { burst } = useConnection();
  const { run, busy, problem } = useAction();
  const isWorking = burst.left > 0;
  const failed = (status.files.failed ?? 0) > 0;
  return (
    <section className="card summary" aria-label={messages.status.progress}>
      <div>
        <h2>{isWorking ? messages.status.left(burst.left) : idleTitle(status)}</h2>
        {isWorking && <ProgressBar />}
        <p className="hint">{isWorking ? pace(status) : messages.activity.searchable(status.assets)}</p>
        <Problem text={problem} />
      </div>
      <div className="actions">
        <button type="button" disabled={busy} onClick={() => void run(() => (status.paused ? agent.resume({}) : agent.pause({})))}>
          {status.paused ? messages.activity.resume : messages.activity.pause}
        </button>
        {failed && (
          <button type="button" disabled={busy} onClick={() => void run(() => agent.retry({ path: null }))}>
            {messages.activity.retryAll}
          </button>
        )}
      </div>
    </section>
  );
}

function idleTitle({ paused, scanning, files }: Status): string {
  if (paused) return messages.activity.idlePaused;
  if (scanning) return messages.status.scanning;
  const attention = countOf('attention', files);
  return attention > 0 ? messages.activity.idleAttention(attention) : messages.activity.idle;
}

/** How many files are in a group. */
function countOf(group: Group, files: Status['files']): number {
  const kinds: readonly string[] = groups[group];
  return Object.entries(files).reduce((sum, [kind, n]) => (group === 'all' || kinds.includes(kind) ? sum + n : sum), 0);
}

function pace({ paused, files, progress }: Status): string {
  const { filesDone, filesTotal, bytesSent, bytesTotal, bytesPerSecond, secondsLeft } = progress;
  const parts: string[] = [];
  if (paused) parts.push(messages.status.paused);
  if (filesTotal > filesDone) parts.push(messages.activity.bytes(formatBytes(bytesSent), formatBytes(bytesTotal)));
  if (!paused && bytesPerSecond > 0) parts.push(messages.activity.speed(formatBytes(bytesPerSecond)));
  if (!paused && secondsLeft) parts.push(messages.activity.left(formatDuration(secondsLeft)));
  if (files.analysing) parts.push(messages.activity.analysing(files.analysing));
  return parts.join(' · ');
}

function GroupSwitch({ group, counts, onChange }: { group: Group; counts: Status['files']; onChange(group: Group): void }) {
  return (
    <fieldset className="switch">
      <legend className="unseen">{messages.activity.filter}</legend>
      {(Object.keys(groups) as Group[]).map((name) => (
        <label key={name}>
          <input type="radio" name="group" checked={group === name} onChange={() => onChange(name)} />
          <span>
            {messages.activity.groups[name]} <span className="hint">{countOf(name, counts)}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

const fileRow = (file: LocalFile, place: Place) => <FileRow key={file.path} file={file} place={place} />;
const fileEvents = ['statusChanged', 'libraryChanged', 'foldersChanged'] as const;

function FileList({ group }: { group: Group }) {
  const ask = useCallback(
    (agent: Agent, cursor: string | null, limit: number) => agent.files({ kinds: [...groups[group]], cursor, limit }),
    [group],
  );
  const { items, first, hasMore, busy, problem, show } = usePages<LocalFile, Awaited<ReturnType<typeof ask>>>(ask, fileEvents);
  const opened = useMemo(() => items.flatMap(({ asset }) => (asset ? [{ asset }] : [])), [items]);
  return (
    <>
      <Problem text={problem} />
      {first && items.length === 0 && !busy && <p className="hint">{messages.activity.none}</p>}
      <Rows items={items} hasMore={hasMore} busy={busy} show={show} row={fileRow} />
      <OpenPhoto among={opened} />
    </>
  );
}
