import { useCallback, useState } from 'react';
import type { Costs as CostsAnswer } from '../../../shared/contract.ts';
import { useAgent, useConnection } from '../agent.tsx';
import { useAction, useAnswer } from '../answers.ts';
import type { Agent } from '../connection.ts';
import { formatDay, formatPercent } from '../format.ts';
import { messages } from '../messages.ts';
import { Problem } from '../parts/Problem.tsx';
import { useNavigation } from '../route.ts';

const refreshOn = ['statusChanged'] as const;
/** The share of the cap from which the backend warns, cloud/steps/budget.ts. */
const nearCap = 0.8;
type Paid = NonNullable<CostsAnswer['paid']>;

/** What the cloud will cost and has cost; here a person agrees to it. */
export function Costs() {
  const { answer, problem, again } = useAnswer(
    useCallback((agent: Agent) => agent.costs({}), []),
    refreshOn,
  );
  return (
    <div className="view">
      <h1>{messages.views.costs}</h1>
      <Problem text={problem} />
      {answer === null && problem === null && <p className="hint">{messages.loading}</p>}
      {answer?.paid === null && <p className="intro">{messages.costs.free}</p>}
      {answer?.paid && <PaidCosts paid={answer.paid} onChange={again} />}
    </div>
  );
}

function PaidCosts({ paid, onChange }: { paid: Paid; onChange(): void }) {
  const { once, monthly, photos, videos, priceDate, isGuess } = paid.forecast;
  return (
    <>
      {!paid.approved && <Approval paid={paid} onChange={onChange} />}
      <div className="sums">
        {(paid.approved ? photos + videos > 0 : true) && <Sum title={messages.costs.once} hint={messages.costs.onceHint} sum={once} />}
        <Sum title={messages.costs.monthly} hint={messages.costs.monthlyHint} sum={monthly} />
      </div>
      <Budget paid={paid} onChange={onChange} />
      <p className="hint">
        {messages.costs.prices(formatDay(priceDate))} {isGuess && messages.costs.guess}
      </p>
    </>
  );
}

function Approval({ paid: { forecast }, onChange }: { paid: Paid; onChange(): void }) {
  const agent = useAgent();
  const { status } = useConnection();
  const { go } = useNavigation();
  const { run, busy, problem } = useAction();
  const isCounting = status !== null && (status.scanning || (status.files.settling ?? 0) > 0);
  const isEmpty = forecast.photos + forecast.videos === 0;
  const approve = async () => {
    if (await run(() => agent.approveCosts({}))) onChange();
  };
  return (
    <section className="card approval">
      <h2>{messages.costs.startTitle}</h2>
      <p>{isEmpty ? messages.costs.nothing : messages.costs.what(forecast.photos, forecast.videos)}</p>
      {forecast.videos > 0 && forecast.videoMinutes !== 0 && <p className="hint">{messages.costs.videoMinutes(forecast.videoMinutes)}</p>}
      {isCounting && <p className="hint">{messages.costs.counting}</p>}
      <div className="actions">
        {isEmpty && !isCounting ? (
          <button type="button" className="primary" onClick={() => go({ view: 'folders' })}>
            {messages.search.chooseFolder}
          </button>
        ) : (
          <>
            <button type="button" className="primary" disabled={busy || isCounting || isEmpty} onClick={() => void approve()}>
              {messages.costs.start}
            </button>
            <span className="hint">{messages.costs.startNote}</span>
          </>
        )}
      </div>
      <Problem text={problem} />
    </section>
  );
}

function Sum({ title, hint, sum: { usd, lines } }: { title: string; hint: string; sum: Paid['forecast']['once'] }) {
  return (
    <section className="card sum">
      <h2>{title}</h2>
      <p className="sum-usd">{messages.costs.dollars(usd)}</p>
      <p className="hint">{hint}</p>
      <table>
        <tbody>
          {lines.map((line) => (
            <tr key={line.service}>
              <th scope="row">{line.service}</th>
              <td>{messages.costs.dollars(line.usd)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Budget({ paid: { spent, cap, month, waiting }, onChange }: { paid: Paid; onChange(): void }) {
  const agent = useAgent();
  const { run, busy, problem } = useAction();
  const [resumed, setResumed] = useState<number | null>(null);
  const resume = async () => {
    if (await run(async () => setResumed((await agent.resumeWaiting({})).resumed))) onChange();
  };
  const isNear = cap !== null && spent >= nearCap * cap && spent > 0;
  return (
    <section className="card budget">
      <h2>{messages.costs.month(month)}</h2>
      <p>{messages.costs.spent(messages.costs.dollars(spent), messages.costs.month(month))}</p>
      {cap !== null && (
        <progress className={isNear ? 'cap-near' : ''} aria-label={messages.costs.usedOfCap} value={spent} max={Math.max(cap, 0.01)} />
      )}
      {isNear && (
        <p className="near">{messages.costs.nearCap(formatPercent(Math.min(100, Math.round((100 * spent) / Math.max(cap, 0.01)))))}</p>
      )}
      <p className="hint">{cap === null ? messages.costs.noCap : messages.costs.cap(messages.costs.dollars(cap))}</p>
      {waiting > 0 && (
        <div className="actions">
          <span>{messages.costs.waiting(waiting)}</span>
          <button type="button" disabled={busy} onClick={() => void resume()}>
            {messages.costs.resume}
          </button>
        </div>
      )}
      <p className="hint" aria-live="polite">
        {resumed !== null && messages.costs.resumed(resumed)}
      </p>
      <Problem text={problem} />
    </section>
  );
}
