import { useCallback, useState } from 'react';
import type { Subscription, SubscriptionDraft } from '../../../shared/contract.ts';
import type { Rule } from '../../../shared/model/rule.ts';
import { useAgent } from '../agent.tsx';
import { useAction, useAnswer } from '../answers.ts';
import type { Agent } from '../connection.ts';
import { messages } from '../messages.ts';
import { Confirm } from '../parts/Confirm.tsx';
import { Field } from '../parts/Field.tsx';
import { Problem } from '../parts/Problem.tsx';
import { RowForm } from '../parts/RowForm.tsx';

/** Subscriptions live in the cloud alone: the agent has no event for them, so each change here asks anew. */
const noEvents = [] as const;

/** Who gets alerts by e-mail and SMS, and about which of the rules. */
export function Subscriptions({ rules }: { rules: readonly Rule[] }) {
  const { answer, problem, again } = useAnswer(
    useCallback((agent: Agent) => agent.subscriptions({}), []),
    noEvents,
  );
  return (
    <section>
      <h2>{messages.subscriptions.title}</h2>
      <p className="intro">{messages.subscriptions.intro}</p>
      <AddSubscription rules={rules} onAdded={again} />
      <Problem text={problem} />
      {answer?.length === 0 && <p className="hint">{messages.subscriptions.none}</p>}
      <ul className="rows">
        {answer?.map((subscription) => (
          <SubscriptionRow
            key={`${subscription.protocol} ${subscription.endpoint}`}
            subscription={subscription}
            rules={rules}
            onRemoved={again}
          />
        ))}
      </ul>
      <p className="hint">{messages.subscriptions.note}</p>
    </section>
  );
}

interface RowProps {
  subscription: Subscription;
  rules: readonly Rule[];
  onRemoved(): void;
}

function SubscriptionRow({ subscription, rules, onRemoved }: RowProps) {
  const { arn, protocol, endpoint, pending } = subscription;
  const about = subscription.rules?.map((id) => rules.find((rule) => rule.id === id)?.name ?? messages.subscriptions.deletedRule);
  const agent = useAgent();
  const { run, problem } = useAction();
  const remove = async () => {
    if (await run(() => agent.unsubscribe({ arn }))) onRemoved();
  };
  return (
    <li className="row">
      <div className="row-main">
        <span className="row-name">{endpoint}</span>
        <span className="hint">
          {messages.subscriptions.protocols[protocol]}
          {about && `, ${messages.subscriptions.onlyAbout(about)}`}
          {pending && `, ${messages.subscriptions.pending}`}
        </span>
        <Problem text={problem} />
      </div>
      <Confirm
        ask={messages.remove}
        question={messages.subscriptions.confirmRemove}
        yes={messages.remove}
        no={messages.subscriptions.keep}
        onYes={() => void remove()}
      />
    </li>
  );
}

function AddSubscription({ rules, onAdded }: { rules: readonly Rule[]; onAdded(): void }) {
  const agent = useAgent();
  const [draft, setDraft] = useState<SubscriptionDraft>({ protocol: 'email', endpoint: '', rules: null });
  const { protocol, endpoint } = draft;
  const submit = async () => {
    await agent.subscribe(draft);
    setDraft({ ...draft, endpoint: '' });
    onAdded();
  };
  return (
    <RowForm word={messages.add} className="card" onSubmit={submit}>
      <Field name={messages.subscriptions.protocol} className="field-short">
        <select
          value={protocol}
          onChange={({ target }) => setDraft({ ...draft, protocol: target.value === 'sms' ? 'sms' : 'email', endpoint: '' })}
        >
          <option value="email">{messages.subscriptions.protocols.email}</option>
          <option value="sms">{messages.subscriptions.protocols.sms}</option>
        </select>
      </Field>
      <Field name={messages.subscriptions.endpoint[protocol]}>
        <input
          required
          type={protocol === 'email' ? 'email' : 'tel'}
          value={endpoint}
          placeholder={messages.subscriptions.hint[protocol]}
          onChange={({ target }) => setDraft({ ...draft, endpoint: target.value })}
        />
      </Field>
      <Field name={messages.subscriptions.about} className="field-short">
        <select value={draft.rules?.[0] ?? ''} onChange={({ target }) => setDraft({ ...draft, rules: ruleOf(rules, target.value) })}>
          <option value="">{messages.subscriptions.allRules}</option>
          {rules.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </Field>
    </RowForm>
  );
}

const ruleOf = (rules: readonly Rule[], id: string) => {
  const chosen = rules.filter((rule) => rule.id === id).map((rule) => rule.id);
  return chosen.length > 0 ? chosen : null;
};
