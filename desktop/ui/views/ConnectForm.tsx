import { type DragEvent, useState } from 'react';
import { type ConnectionFile, parseConnectionFile } from '../../../shared/connection.ts';
import { messageOf } from '../../../shared/errors.ts';
import { useAgent } from '../agent.tsx';
import { useAction } from '../answers.ts';
import { messages } from '../messages.ts';
import { Field } from '../parts/Field.tsx';
import { Problem } from '../parts/Problem.tsx';
import { RowForm } from '../parts/RowForm.tsx';
import { SignInForm } from './SignInForm.tsx';

interface ConnectFormProps {
  onDone(): void;
  readonly onCancel: (() => void) | null;
}

/** Takes a connection file, then signs in to its backend. */
export function ConnectForm({ onDone, onCancel }: ConnectFormProps) {
  const agent = useAgent();
  const [text, setText] = useState('');
  const [way, setWay] = useState<'user' | 'profile'>('user');
  const { file, problem } = read(text);
  return (
    <div className="connect">
      <FileField text={text} onText={setText} />
      <Problem text={problem} />
      {file && (
        <>
          <p role="status">{messages.backend.found(file.name, file.region)}</p>
          <fieldset className="switch" aria-label={messages.backend.way}>
            {(['user', 'profile'] as const).map((kind) => (
              <label key={kind}>
                <input type="radio" name="way" checked={way === kind} onChange={() => setWay(kind)} />
                <span>{messages.backend.ways[kind]}</span>
              </label>
            ))}
          </fieldset>
          {way === 'user' ? (
            <SignInForm signIn={(words) => agent.connect({ text, words })} onDone={onDone} />
          ) : (
            <ProfileForm text={text} onDone={onDone} />
          )}
        </>
      )}
      {onCancel && (
        <div className="actions">
          <button type="button" className="link" onClick={onCancel}>
            {messages.cancel}
          </button>
        </div>
      )}
    </div>
  );
}

/** The same check as the agent makes, so that a person hears of it before typing a password. */
function read(text: string): { file: ConnectionFile | null; problem: string | null } {
  if (text.trim() === '') return { file: null, problem: null };
  try {
    return { file: parseConnectionFile(text), problem: null };
  } catch (thrown) {
    return { file: null, problem: messageOf(thrown) };
  }
}

/** A file that is chosen, dropped here, or pasted as text. */
function FileField({ text, onText }: { text: string; onText(text: string): void }) {
  const { run, problem } = useAction();
  const take = (file: File | undefined) => file && void run(async () => onText(await file.text()));
  const drop = (event: DragEvent) => {
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way; the fields inside are the first
    <div className="drop" onDragOver={(event) => event.preventDefault()} onDrop={drop}>
      <Field name={messages.backend.file} hint={messages.backend.fileHint}>
        <input type="file" accept=".json,application/json" onChange={({ target }) => take(target.files?.[0])} />
      </Field>
      <Field name={messages.backend.paste}>
        <textarea rows={3} value={text} spellCheck={false} placeholder="{ … }" onChange={({ target }) => onText(target.value)} />
      </Field>
      <Problem text={problem} />
    </div>
  );
}

function ProfileForm({ text, onDone }: { text: string; onDone(): void }) {
  const agent = useAgent();
  const [profile, setProfile] = useState('default');
  const submit = async () => {
    await agent.connectByProfile({ text, profile });
    onDone();
  };
  return (
    <RowForm word={messages.backend.connect} busyWord={messages.backend.changing} onSubmit={submit}>
      <Field name={messages.backend.profile} hint={messages.backend.profileHint}>
        <input required value={profile} spellCheck={false} autoCapitalize="none" onChange={({ target }) => setProfile(target.value)} />
      </Field>
    </RowForm>
  );
}
