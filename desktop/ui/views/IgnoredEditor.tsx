import { useState } from 'react';
import * as v from 'valibot';
import type { WatchedFolder } from '../../../shared/contract.ts';
import { InvalidInput } from '../../../shared/errors.ts';
import { ignoredGlobs } from '../../../shared/model/ignored.ts';
import { useAgent } from '../agent.tsx';
import { useAction } from '../answers.ts';
import { messages } from '../messages.ts';
import { Editor } from '../parts/Editor.tsx';
import { Field } from '../parts/Field.tsx';

/** Changes what is left out of a watched folder. */
export function IgnoredEditor({ folder: { id, path, ignored }, onClose }: { folder: WatchedFolder; onClose(): void }) {
  const agent = useAgent();
  const { run, busy, problem } = useAction();
  const [text, setText] = useState(ignored.join('\n'));
  const save = async () => {
    if (await run(async () => agent.ignoreInFolder({ id, ignored: globsIn(text) }))) onClose();
  };
  return (
    <Editor title={messages.folders.leaveOutTitle} busy={busy} problem={problem} onSave={() => void save()} onClose={onClose}>
      <p className="path">{path}</p>
      <p className="hint">{messages.folders.leaveOutIntro}</p>
      <Field name={messages.folders.patterns}>
        <textarea
          rows={6}
          value={text}
          placeholder={messages.folders.patternsHint}
          spellCheck={false}
          onChange={({ target }) => setText(target.value)}
        />
      </Field>
      <dl className="facts patterns">
        {messages.folders.patternExamples.map(({ example, meaning }) => (
          <div key={example}>
            <dt>
              <code>{example}</code>
            </dt>
            <dd className="hint">{meaning}</dd>
          </div>
        ))}
      </dl>
    </Editor>
  );
}

/** @throws InvalidInput when one of them is no pattern */
function globsIn(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const { success, output, issues } = v.safeParse(ignoredGlobs, lines);
  if (!success) throw new InvalidInput(issues[0].message);
  return output;
}
