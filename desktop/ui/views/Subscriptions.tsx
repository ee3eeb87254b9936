import { type FormEvent, useCallback, useState } from 'react';
import type { Subscription, SubscriptionDraft } from '../../../shared/contract.ts';
import { useAgent } from '../agent.tsx';
import { useAction, useAnswer } from '../answers.ts';
import type { Agent } from '../connection.ts';
import { messages } from '../messages.ts';
import { Confirm } from '../parts/Confirm.tsx';
import { Problem } from '../parts/Problem.tsx';

/** Subscriptions live in the cloud alone: the agent has no event for them, so each change here asks anew. */
const noEvents = [] as const;

/** Who gets alerts by e-mail and SMS. */
export function Subscriptions() {
  const { answer, problem, again } = useAnswer(
    useCallback((agent: Agent) => agent.subscriptions({}), []),
    noEvents,
  );
  return (
    <section>
      <h2>{messages.subscriptions.title}</h2>
      <p className="intro">{messages.subscriptions.intro}</p>
      <AddSubscription onAdded={again} />
      <Problem text={problem} />
      {answer?.length === 0 && <p className="hint">{messages.subscriptions.none}</p>}
      <ul className="rows">
        {answer?.map((subscription) => (
          <SubscriptionRow key={`${subscription.protocol} ${subscription.endpoint}`} subscription={subscription} onRemoved={again} />
        ))}
      </ul>
      <p className="hint">{messages.subscriptions.note}</p>
    </section>
  );
}

function SubscriptionRow({ subscription, onRemoved }: { subscription: Subscription; onRemoved(): void }) {
  const { arn, protocol, endpoint, pending } = subscription;
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

function AddSubscription({ onAdded }: { onAdded(): void }) {
  const agent = useAgent();
  const { run, busy, problem } = useAction();
  const [draft, setDraft] = useState<SubscriptionDraft>({ protocol: 'email', endpoint: '' });
  const { protocol, endpoint } = draft;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!(await run(() => agent.subscribe(draft)))) return;
    setDraft({ protocol, endpoint: '' });
    onAdded();
  };
  return (
    <form className="card form-row" onSubmit={(event) => void submit(event)}>
      <label className="field field-short">
        <span className="field-name">{messages.subscriptions.protocol}</span>
        <select value={protocol} onChange={({ target }) => setDraft({ protocol: target.value === 'sms' ? 'sms' : 'email', endpoint: '' })}>
          <option value="email">{messages.subscriptions.protocols.email}</option>
          <option value="sms">{messages.subscriptions.protocols.sms}</option>
        </select>
      </label>
      <label className="field">
        <span className="field-name">{messages.subscriptions.endpoint[protocol]}</span>
        <input
          required
          type={protocol === 'email' ? 'email' : 'tel'}
          value={endpoint}
          placeholder={messages.subscriptions.hint[protocol]}
          onChange={({ target }) => setDraft({ protocol, endpoint: target.value })}
        />
      </label>
      <button type="submit" className="primary" disabled={busy}>
        {messages.add}
      </button>
      <Problem text={problem} />
    </form>
  );
}
