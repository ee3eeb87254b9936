import { useCallback, useState } from 'react';
import * as v from 'valibot';
import { type Condition, condition as conditionSchema, type Rule, type RuleDraft, singleCondition } from '../../../shared/model/rule.ts';
import { useAgent } from '../agent.tsx';
import { useAction, useAnswer } from '../answers.ts';
import type { Agent } from '../connection.ts';
import { messages } from '../messages.ts';
import { Editor } from '../parts/Editor.tsx';
import { Field } from '../parts/Field.tsx';
import { Problem } from '../parts/Problem.tsx';
import { Thumb } from '../parts/Thumb.tsx';
import { Conditions, emptyConditions, singlesOf } from './Conditions.tsx';

const emptyRule: RuleDraft = {
  name: '',
  condition: emptyConditions.label,
  notify: { desktop: true, sns: false },
};

/** Makes a rule, or changes one, showing what it would have matched. */
export function RuleEditor({ rule, onClose }: { rule: Rule | null; onClose(): void }) {
  const agent = useAgent();
  const { run, busy, problem } = useAction();
  const [draft, setDraft] = useState<RuleDraft>(rule ? { name: rule.name, condition: rule.condition, notify: rule.notify } : emptyRule);
  const named = { ...draft, name: draft.name.trim() || nameFor(draft.condition) };
  const save = async () => {
    if (await run(() => agent.saveRule({ id: rule?.id ?? null, draft: named }))) onClose();
  };
  return (
    <Editor
      title={rule ? messages.rules.editTitle : messages.rules.newTitle}
      busy={busy}
      problem={problem}
      onSave={() => void save()}
      onClose={onClose}
    >
      <Conditions condition={draft.condition} onChange={(condition) => setDraft({ ...draft, condition })} />
      <DryRun condition={draft.condition} />
      <Field name={messages.rules.name}>
        <input
          value={draft.name}
          maxLength={maxName}
          placeholder={nameFor(draft.condition) || messages.rules.labelHint}
          onChange={({ target }) => setDraft({ ...draft, name: target.value })}
        />
      </Field>
      <NotifyFields draft={draft} onChange={setDraft} />
      <p className="hint">{messages.rules.fromNowOn}</p>
    </Editor>
  );
}

const maxName = 80;

/** What a rule is called whose maker gave it no name. */
function nameFor(condition: Condition): string {
  const names = singlesOf(condition).map((single) => {
    if (single.kind === 'label') return single.label;
    if (single.kind === 'text') return single.text;
    return v.is(singleCondition, single) ? messages.rules.condition(single) : '';
  });
  return names.filter(Boolean).join(', ').slice(0, maxName);
}

interface DraftProps {
  readonly draft: RuleDraft;
  onChange(draft: RuleDraft): void;
}

function NotifyFields({ draft, onChange }: DraftProps) {
  return (
    <fieldset className="checks">
      <legend>{messages.rules.notify}</legend>
      {(['desktop', 'sns'] as const).map((way) => (
        <label key={way}>
          <input
            type="checkbox"
            checked={draft.notify[way]}
            onChange={({ target }) => onChange({ ...draft, notify: { ...draft.notify, [way]: target.checked } })}
          />
          {messages.rules[way]}
        </label>
      ))}
    </fieldset>
  );
}

const libraryEvents = ['libraryChanged'] as const;

/** What the rule would have matched in the library so far. */
function DryRun({ condition }: { condition: Condition }) {
  // As text, so that an equal condition does not ask again.
  const complete = v.safeParse(conditionSchema, condition);
  const wanted = complete.success ? JSON.stringify(complete.output) : null;
  const ask = useCallback(
    async (agent: Agent) => {
      if (wanted === null) return null;
      return agent.dryRun({ draft: { name: '-', condition: JSON.parse(wanted), notify: { desktop: false, sns: false } } });
    },
    [wanted],
  );
  const { answer, problem } = useAnswer(ask, libraryEvents);
  return (
    <div className="dry-run">
      <p role="status">{answer ? messages.rules.dryRun(answer.count) : messages.rules.dryRunHint}</p>
      <Problem text={problem} />
      <ul className="strip">
        {answer?.newest.slice(0, 6).map(({ asset, hasThumb, name }) => (
          <li key={asset} title={name}>
            <Thumb asset={asset} has={hasThumb} />
          </li>
        ))}
      </ul>
    </div>
  );
}
