import { useCallback, useState } from 'react';
import type { AssetId } from '../../../shared/model/asset.ts';
import { useAgent } from '../agent.tsx';
import { useAction, useAnswer } from '../answers.ts';
import type { Agent } from '../connection.ts';
import { messages } from '../messages.ts';
import { Problem } from '../parts/Problem.tsx';

const libraryEvents = ['libraryChanged'] as const;

/** The original in the cloud, of a photo that is on this computer no more. */
export function Original({ asset }: { asset: AssetId }) {
  const agent = useAgent();
  const { answer, problem, again } = useAnswer(
    useCallback((agent: Agent) => agent.original({ asset }), [asset]),
    libraryEvents,
  );
  const { run, busy, problem: actionProblem } = useAction();
  const [saved, setSaved] = useState<string | null>(null);
  const save = () => run(async () => setSaved((await agent.saveOriginal({ asset, folder: null })).path));
  const restore = async () => {
    if (await run(() => agent.restoreOriginal({ asset }))) again();
  };
  return (
    <div className="original">
      {answer && <p className="hint">{messages.photo.inCloud[answer.kind]}</p>}
      {answer?.kind === 'stored' && (
        <button type="button" disabled={busy} onClick={() => void save()}>
          {busy ? messages.photo.saving : messages.photo.save}
        </button>
      )}
      {answer?.kind === 'archived' && (
        <button type="button" disabled={busy} onClick={() => void restore()}>
          {messages.photo.restore}
        </button>
      )}
      {saved !== null && (
        <p className="hint" role="status">
          {messages.photo.saved(saved)}
        </p>
      )}
      <Problem text={problem ?? actionProblem} />
    </div>
  );
}
