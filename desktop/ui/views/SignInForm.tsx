import { type FormEvent, useState } from 'react';
import { useAction } from '../answers.ts';
import type { Agent } from '../connection.ts';
import { messages } from '../messages.ts';
import { Problem } from '../parts/Problem.tsx';

type Words = Parameters<Agent['signIn']>[0];
type Answer = Awaited<ReturnType<Agent['signIn']>>;

interface SignInFormProps {
  readonly user?: string;
  signIn(words: Words): Promise<Answer>;
  onDone?(): void;
}

const focusEmpty = (input: HTMLInputElement | null) => {
  if (input?.value === '') input.focus();
};

/** User name and password; a new password when the backend asks for one. */
export function SignInForm({ user: known = '', signIn, onDone }: SignInFormProps) {
  const { run, busy, problem } = useAction();
  const [user, setUser] = useState(known);
  const [password, setPassword] = useState('');
  /** Null: not asked for. */
  const [newPassword, setNewPassword] = useState<string | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    let answer: Answer | null = null;
    const went = await run(async () => {
      answer = await signIn({ user, password, newPassword: newPassword || null });
    });
    const { kind } = (answer ?? { kind: null }) as { kind: Answer['kind'] | null };
    if (kind === 'newPasswordNeeded') setNewPassword('');
    if (!went || kind !== 'signedIn') return;
    // Nothing of it stays in the page.
    setPassword('');
    setNewPassword(null);
    onDone?.();
  };
  return (
    <form className="form-row" onSubmit={(event) => void submit(event)}>
      <label className="field">
        <span className="field-name">{messages.backend.user}</span>
        <input
          required
          value={user}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          onChange={({ target }) => setUser(target.value)}
        />
      </label>
      <label className="field">
        <span className="field-name">{messages.backend.password}</span>
        <input
          required
          type="password"
          value={password}
          autoComplete="current-password"
          onChange={({ target }) => setPassword(target.value)}
        />
      </label>
      {newPassword !== null && (
        <label className="field field-whole">
          <span className="field-name">{messages.backend.newPassword}</span>
          <input
            required
            // It appears because of what was just sent, and is all that is left to fill in.
            ref={focusEmpty}
            type="password"
            value={newPassword}
            autoComplete="new-password"
            onChange={({ target }) => setNewPassword(target.value)}
          />
          <span className="hint">{messages.backend.newPasswordHint}</span>
        </label>
      )}
      <button type="submit" className="primary" disabled={busy}>
        {busy ? messages.backend.signingIn : messages.backend.signIn}
      </button>
      <Problem text={problem} />
    </form>
  );
}
