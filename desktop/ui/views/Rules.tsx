import { useCallback, useState } from 'react';
import type { Rule } from '../../../shared/model/rule.ts';
import { useAgent } from '../agent.tsx';
import { useAction, useAnswer } from '../answers.ts';
import type { Agent } from '../connection.ts';
import { messages } from '../messages.ts';
import { Confirm } from '../parts/Confirm.tsx';
import { Problem } from '../parts/Problem.tsx';
import { RuleEditor } from './RuleEditor.tsx';
import { Subscriptions } from './Subscriptions.tsx';

const ruleEvents = ['rulesChanged'] as const;

/** What a person wants to be told about, and how. */
export function Rules() {
  const { answer, problem } = useAnswer(
    useCallback((agent: Agent) => agent.rules({}), []),
    ruleEvents,
  );
  const [edited, setEdited] = useState<Rule | 'new' | null>(null);
  return (
    <div className="view">
      <div className="view-head">
        <h1>{messages.views.rules}</h1>
        <button type="button" className="primary" onClick={() => setEdited('new')}>
          {messages.rules.new}
        </button>
      </div>
      <p className="intro">{messages.rules.intro}</p>
      <Problem text={problem} />
      {answer?.length === 0 && <p className="card hint">{messages.rules.none}</p>}
      <ul className="rows">
        {answer?.map((rule) => (
          <RuleRow key={rule.id} rule={rule} onEdit={() => setEdited(rule)} />
        ))}
      </ul>
      <Subscriptions rules={answer ?? []} />
      {edited && <RuleEditor rule={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />}
    </div>
  );
}

function RuleRow({ rule: { id, name, condition, notify }, onEdit }: { rule: Rule; onEdit(): void }) {
  const agent = useAgent();
  const { run, problem } = useAction();
  const tells = [notify.desktop && messages.rules.desktopShort, notify.sns && messages.rules.snsShort].filter((text) => text !== false);
  return (
    <li className="row">
      <div className="row-main">
        <span className="row-name">{name}</span>
        <span className="hint">{messages.rules.condition(condition)}</span>
        <Problem text={problem} />
      </div>
      <div className="row-state">
        {(tells.length > 0 ? tells : [messages.rules.silent]).map((text) => (
          <span key={text} className="state state-quiet">
            {text}
          </span>
        ))}
      </div>
      <div className="actions">
        <button type="button" className="link" onClick={onEdit}>
          {messages.edit}
        </button>
        <Confirm
          ask={messages.rules.delete}
          question={messages.rules.confirmDelete}
          yes={messages.rules.delete}
          no={messages.rules.keep}
          onYes={() => void run(() => agent.deleteRule({ id }))}
        />
      </div>
    </li>
  );
}
