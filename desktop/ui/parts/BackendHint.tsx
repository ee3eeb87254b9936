import { useAgent } from '../agent.tsx';
import { useAction } from '../answers.ts';
import { messages } from '../messages.ts';
import { useNavigation } from '../route.ts';
import { useBackend } from '../views/Backend.tsx';

/** Says, until somebody has chosen, where photos are looked at and that there is another way. */
export function BackendHint() {
  const agent = useAgent();
  const { go } = useNavigation();
  const { answer } = useBackend();
  const { run, busy } = useAction();
  if (!answer || answer.isChosen) return null;
  return (
    <aside className="backend-hint" aria-label={messages.views.backend}>
      <p className="hint">{messages.backend.hint}</p>
      <button type="button" className="link" onClick={() => go({ view: 'backend' })}>
        {messages.backend.hintAws}
      </button>
      <button type="button" className="link" disabled={busy} onClick={() => void run(() => agent.chooseThisComputer({}))}>
        {messages.backend.hintStay}
      </button>
    </aside>
  );
}
