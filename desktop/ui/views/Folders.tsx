import { type FormEvent, useCallback, useState } from 'react';
import type { WatchedFolder } from '../../../shared/contract.ts';
import { useAgent, useConnection } from '../agent.tsx';
import { useAction, useAnswer } from '../answers.ts';
import type { Agent } from '../connection.ts';
import { Icon } from '../icons.tsx';
import { messages } from '../messages.ts';
import { Confirm } from '../parts/Confirm.tsx';
import { Field } from '../parts/Field.tsx';
import { Problem } from '../parts/Problem.tsx';
import { IgnoredEditor } from './IgnoredEditor.tsx';

const folderEvents = ['foldersChanged', 'libraryChanged'] as const;

/** The watched folders. */
export function Folders() {
  const { answer, problem } = useAnswer(
    useCallback((agent: Agent) => agent.folders({}), []),
    folderEvents,
  );
  const [edited, setEdited] = useState<WatchedFolder | null>(null);
  return (
    <div className="view">
      <h1>{messages.views.folders}</h1>
      <p className="intro">{messages.folders.intro}</p>
      <AddFolder />
      <Problem text={problem} />
      {answer?.length === 0 && <p className="hint">{messages.folders.none}</p>}
      <ul className="rows">
        {answer?.map((folder) => (
          <FolderRow key={folder.id} folder={folder} onLeaveOut={() => setEdited(folder)} />
        ))}
      </ul>
      {edited && <IgnoredEditor folder={edited} onClose={() => setEdited(null)} />}
    </div>
  );
}

function AddFolder() {
  const agent = useAgent();
  const { host } = useConnection();
  const { run, busy, problem } = useAction();
  const [path, setPath] = useState('');
  const add = async (wanted: string) => {
    if (await run(() => agent.addFolder({ path: wanted }))) setPath('');
  };
  const choose = () =>
    run(async () => {
      const chosen = await host?.chooseFolder({});
      if (chosen) await agent.addFolder({ path: chosen });
    });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void add(path.trim());
  };
  return (
    <form className="card form-row" onSubmit={submit}>
      <Field name={messages.folders.path}>
        <input
          required
          value={path}
          placeholder={messages.folders.pathHint}
          spellCheck={false}
          onChange={({ target }) => setPath(target.value)}
        />
      </Field>
      <button type="submit" className="primary" disabled={busy}>
        {messages.folders.add}
      </button>
      {host && (
        <button type="button" disabled={busy} onClick={() => void choose()}>
          {messages.folders.choose}
        </button>
      )}
      <Problem text={problem} />
    </form>
  );
}

interface RowProps {
  readonly folder: WatchedFolder;
  onLeaveOut(): void;
}

function FolderRow({ folder: { id, path, files, ignored, problem: trouble }, onLeaveOut }: RowProps) {
  const agent = useAgent();
  const { run, problem } = useAction();
  return (
    <li className="row">
      <Icon name="folders" />
      <div className="row-main">
        <span className="row-name path">{path}</span>
        <span className="hint">{messages.files(files)}</span>
        {ignored.length > 0 && <span className="hint path">{messages.folders.ignored(ignored)}</span>}
        {trouble !== null && <span className="reason">{trouble}</span>}
        <Problem text={problem} />
      </div>
      <div className="actions">
        <button type="button" className="link" onClick={onLeaveOut}>
          {messages.folders.leaveOut}
        </button>
        <Confirm
          ask={messages.remove}
          question={messages.folders.confirmRemove}
          yes={messages.folders.stopWatching}
          no={messages.folders.keep}
          onYes={() => void run(() => agent.removeFolder({ id }))}
        />
      </div>
    </li>
  );
}
