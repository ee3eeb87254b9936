import { type ReactNode, useCallback, useState } from 'react';
import type { BackendStatus } from '../../../shared/contract.ts';
import { useAgent } from '../agent.tsx';
import { useAction, useAnswer } from '../answers.ts';
import type { Agent } from '../connection.ts';
import { messages } from '../messages.ts';
import { Confirm } from '../parts/Confirm.tsx';
import { Problem } from '../parts/Problem.tsx';
import { ConnectForm } from './ConnectForm.tsx';
import { SignInForm } from './SignInForm.tsx';

const backendEvents = ['backendChanged'] as const;
export const useBackend = () =>
  useAnswer(
    useCallback((agent: Agent) => agent.backend({}), []),
    backendEvents,
  );

/** Where photos are looked at: on this computer, or by a backend on AWS. */
export function Backend() {
  const { answer, problem } = useBackend();
  return (
    <div className="view">
      <h1>{messages.views.backend}</h1>
      <p className="intro">{messages.backend.intro}</p>
      <Problem text={problem} />
      {answer && <ThisComputer status={answer} />}
      {answer && <Aws status={answer} />}
    </div>
  );
}

function Place({ title, inUse, children }: { title: string; inUse: boolean; children: ReactNode }) {
  return (
    <section className="card place" aria-label={title}>
      <div className="view-head">
        <h2>{title}</h2>
        {inUse && <span className="state state-good">{messages.backend.inUse}</span>}
      </div>
      {children}
    </section>
  );
}

function ThisComputer({ status: { inUse } }: { status: BackendStatus }) {
  const agent = useAgent();
  const { run, busy, problem } = useAction();
  return (
    <Place title={messages.backend.thisComputer} inUse={inUse === 'thisComputer'}>
      <p className="intro">{messages.backend.thisComputerText}</p>
      {inUse === 'aws' && (
        <div className="actions">
          <button type="button" disabled={busy} onClick={() => void run(() => agent.chooseThisComputer({}))}>
            {busy ? messages.backend.changing : messages.backend.chooseThisComputer}
          </button>
        </div>
      )}
      <Problem text={problem} />
    </Place>
  );
}

function Aws({ status }: { status: BackendStatus }) {
  const [another, setAnother] = useState(false);
  const { inUse, aws } = status;
  return (
    <Place title={messages.backend.aws} inUse={inUse === 'aws'}>
      <p className="intro">{messages.backend.awsText}</p>
      {aws && !another && <KnownAws inUse={inUse === 'aws'} aws={aws} onAnother={() => setAnother(true)} />}
      {(!aws || another) && <ConnectForm onDone={() => setAnother(false)} onCancel={aws && (() => setAnother(false))} />}
    </Place>
  );
}

interface KnownAwsProps {
  readonly inUse: boolean;
  readonly aws: NonNullable<BackendStatus['aws']>;
  onAnother(): void;
}

/** The backend that is in use, or was last: who is let in, and how to change that. */
function KnownAws({ inUse, aws, onAnother }: KnownAwsProps) {
  const agent = useAgent();
  const { run, busy, problem } = useAction();
  const { name, region, as, isSignedIn, isKept } = aws;
  const isOut = inUse && !isSignedIn;
  return (
    <>
      <div className="row-main">
        <span className="row-name">{messages.backend.nameAndRegion(name, region)}</span>
        <span className="hint">
          {as.kind === 'profile' ? messages.backend.byProfile(as.profile) : messages.backend.byUser(as.user, !isOut)}
        </span>
      </div>
      {isOut && <SignInForm user={as.kind === 'user' ? as.user : ''} signIn={(words) => agent.signIn(words)} />}
      {!isKept && !isOut && <p className="hint">{messages.backend.notKept}</p>}
      <div className="actions">
        {!inUse && (
          <button type="button" className="primary" disabled={busy} onClick={() => void run(() => agent.chooseAws({}))}>
            {busy ? messages.backend.changing : messages.backend.chooseAws}
          </button>
        )}
        <button type="button" className="link" onClick={onAnother}>
          {messages.backend.another}
        </button>
        {inUse && isSignedIn && as.kind === 'user' && (
          <Confirm
            ask={messages.backend.signOut}
            question={messages.backend.confirmSignOut}
            yes={messages.backend.signOut}
            no={messages.backend.staySignedIn}
            onYes={() => void run(() => agent.signOut({}))}
          />
        )}
      </div>
      <Problem text={problem} />
    </>
  );
}
