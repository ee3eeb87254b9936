import { useCallback, useState } from 'react';
import { useAgent } from '../agent.tsx';
import { useAction, useAnswer } from '../answers.ts';
import type { Agent } from '../connection.ts';
import { messages } from '../messages.ts';
import { Confirm } from '../parts/Confirm.tsx';
import { Problem } from '../parts/Problem.tsx';

const refreshOn = ['libraryChanged'] as const;

/** Videos that were only stored, and what it would cost to have them looked at, which nobody does by itself. */
export function KeptVideos() {
  const agent = useAgent();
  const { answer, again } = useAnswer(
    useCallback((agent: Agent) => agent.keptVideos({}), []),
    refreshOn,
  );
  const { run, problem } = useAction();
  const [asked, setAsked] = useState<number | null>(null);
  const look = async () => {
    if (await run(async () => setAsked((await agent.lookAtKept({})).asked))) again();
  };
  const { videos = 0, videoMinutes = null, usd = null } = answer ?? {};
  if (videos === 0 && asked === null && problem === null) return null;
  return (
    <section className="card">
      {videos > 0 && (
        <>
          <p>{messages.kept.videos(videos)}</p>
          <Confirm
            ask={messages.kept.ask}
            question={messages.kept.question(usd === null ? null : messages.costs.dollars(usd), videoMinutes)}
            yes={messages.kept.yes}
            no={messages.kept.no}
            onYes={() => void look()}
          />
        </>
      )}
      <p className="hint" aria-live="polite">
        {asked !== null && messages.kept.asked(asked)}
      </p>
      <Problem text={problem} />
    </section>
  );
}
