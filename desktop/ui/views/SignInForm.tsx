import { useState } from 'react';
import type { Agent } from '../connection.ts';
import { messages } from '../messages.ts';
import { Field } from '../parts/Field.tsx';
import { RowForm } from '../parts/RowForm.tsx';

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
  const [user, setUser] = useState(known);
  const [password, setPassword] = useState('');
  /** Null: not asked for. */
  const [newPassword, setNewPassword] = useState<string | null>(null);
  const submit = async () => {
    const { kind } = await signIn({ user, password, newPassword: newPassword || null });
    if (kind === 'newPasswordNeeded') return setNewPassword('');
    // Nothing of it stays in the page.
    setPassword('');
    setNewPassword(null);
    onDone?.();
  };
  return (
    <RowForm word={messages.backend.signIn} busyWord={messages.backend.signingIn} onSubmit={submit}>
      <Field name={messages.backend.user}>
        <input
          required
          value={user}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          onChange={({ target }) => setUser(target.value)}
        />
      </Field>
      <Field name={messages.backend.password}>
        <input
          required
          type="password"
          value={password}
          autoComplete="current-password"
          onChange={({ target }) => setPassword(target.value)}
        />
      </Field>
      {newPassword !== null && (
        <Field name={messages.backend.newPassword} hint={messages.backend.newPasswordHint} className="field-whole">
          <input
            required
            // It appears because of what was just sent, and is all that is left to fill in.
            ref={focusEmpty}
            type="password"
            value={newPassword}
            autoComplete="new-password"
            onChange={({ target }) => setNewPassword(target.value)}
          />
        </Field>
      )}
    </RowForm>
  );
}
