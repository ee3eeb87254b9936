import { useCallback, useState } from 'react';
import type { AssetId } from '../../../shared/model/asset.ts';
import { useAnswer } from '../answers.ts';
import type { Agent } from '../connection.ts';
import { formatClockTime, formatMoment } from '../format.ts';
import { historyLines } from '../historyLines.ts';
import { messages } from '../messages.ts';
import { Problem } from '../parts/Problem.tsx';

/** "What happened": the steps that the photo went through, asked for when it is opened. */
export function History({ asset }: { asset: AssetId }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{messages.photo.history}</summary>
      {open && <Steps asset={asset} />}
    </details>
  );
}

const libraryEvents = ['libraryChanged'] as const;

function Steps({ asset }: { asset: AssetId }) {
  const { answer, problem } = useAnswer(
    useCallback((agent: Agent) => agent.history({ asset }), [asset]),
    libraryEvents,
  );
  const [first] = answer ?? [];
  return (
    <>
      <Problem text={problem} />
      {!answer && problem === null && <p className="hint">{messages.loading}</p>}
      {answer && <p className="hint">{first ? formatMoment(first.at) : messages.photo.noHistory}</p>}
      <ol className="history">
        {historyLines(answer ?? []).map(({ at, step, what, detail }) => (
          <li key={`${at} ${step} ${what}`} className={`history-${what}`}>
            <time dateTime={at}>{formatClockTime(at)}</time>
            <span>
              {messages.photo.step(step)}: {messages.photo.stepResult(what)}
              {detail !== null && <span className="hint">{detail}</span>}
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}
