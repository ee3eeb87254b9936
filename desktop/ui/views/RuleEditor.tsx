import { type FormEvent, useCallback, useId, useState } from 'react';
import type { Rule, RuleDraft } from '../../../shared/model/rule.ts';
import { useAgent } from '../agent.tsx';
import { useAction, useAnswer } from '../answers.ts';
import type { Agent } from '../connection.ts';
import { formatPercent } from '../format.ts';
import { messages } from '../messages.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { LabelField } from '../parts/LabelField.tsx';
import { Problem } from '../parts/Problem.tsx';
import { Thumb } from '../parts/Thumb.tsx';

const emptyRule: RuleDraft = {
  name: '',
  condition: { kind: 'label', label: '', minConfidence: 80 },
  notify: { desktop: true, sns: false },
};

/** Makes a rule, or changes one, showing what it would have matched. */
export function RuleEditor({ rule, onClose }: { rule: Rule | null; onClose(): void }) {
  const agent = useAgent();
  const { run, busy, problem } = useAction();
  const [draft, setDraft] = useState<RuleDraft>(rule ? { name: rule.name, condition: rule.condition, notify: rule.notify } : emptyRule);
  const named = { ...draft, name: draft.name.trim() || draft.condition.label };
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (await run(() => agent.saveRule({ id: rule?.id ?? null, draft: named }))) onClose();
  };
  return (
    <Dialog title={rule ? messages.rules.editTitle : messages.rules.newTitle} className="editor" onClose={onClose}>
      <form onSubmit={(event) => void save(event)}>
        <ConditionFields draft={draft} onChange={setDraft} />
        <DryRun draft={named} />
        <label className="field">
          <span className="field-name">{messages.rules.name}</span>
          <input
            value={draft.name}
            maxLength={80}
            placeholder={draft.condition.label || messages.rules.labelHint}
            onChange={({ target }) => setDraft({ ...draft, name: target.value })}
          />
        </label>
        <NotifyFields draft={draft} onChange={setDraft} />
        <p className="hint">{messages.rules.fromNowOn}</p>
        <Problem text={problem} />
        <div className="actions">
          <button type="button" onClick={onClose}>
            {messages.cancel}
          </button>
          <button type="submit" className="primary" disabled={busy}>
            {messages.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface DraftProps {
  readonly draft: RuleDraft;
  onChange(draft: RuleDraft): void;
}

function ConditionFields({ draft, onChange }: DraftProps) {
  const labelId = useId();
  const { condition } = draft;
  return (
    <>
      <div className="field">
        <label className="field-name" htmlFor={labelId}>
          {messages.rules.label}
        </label>
        <LabelField id={labelId} value={condition.label} onChange={(label) => onChange({ ...draft, condition: { ...condition, label } })} />
      </div>
      <label className="field">
        <span className="field-name">
          {messages.rules.confidence}: <output>{formatPercent(condition.minConfidence)}</output>
        </span>
        <input
          type="range"
          min={0}
          max={100}
          step={1}
          value={condition.minConfidence}
          onChange={({ target }) => onChange({ ...draft, condition: { ...condition, minConfidence: target.valueAsNumber } })}
        />
      </label>
    </>
  );
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
function DryRun({ draft: { condition } }: { draft: RuleDraft }) {
  const { label, minConfidence } = condition;
  const ask = useCallback(
    async (agent: Agent) => {
      const wanted = label.trim();
      if (wanted === '') return null;
      return agent.dryRun({
        draft: { name: wanted, condition: { kind: 'label', label: wanted, minConfidence }, notify: { desktop: false, sns: false } },
      });
    },
    [label, minConfidence],
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
