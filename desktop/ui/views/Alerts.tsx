import type { Alert } from '../../../shared/contract.ts';
import { useAgent } from '../agent.tsx';
import { useAction, usePages } from '../answers.ts';
import type { Agent } from '../connection.ts';
import { formatMoment } from '../format.ts';
import { messages } from '../messages.ts';
import { Problem } from '../parts/Problem.tsx';
import { type Place, Rows } from '../parts/Rows.tsx';
import { Thumb } from '../parts/Thumb.tsx';
import { useNavigation } from '../route.ts';
import { OpenPhoto } from './Detail.tsx';

const alertEvents = ['alertRaised', 'statusChanged'] as const;
const askAlerts = (agent: Agent, cursor: string | null, limit: number) => agent.alerts({ cursor, limit });

/** What rules have told, newest first. */
export function Alerts() {
  const agent = useAgent();
  const { go } = useNavigation();
  const {
    items,
    first,
    hasMore,
    busy: isReading,
    problem,
    show,
  } = usePages<Alert, Awaited<ReturnType<typeof askAlerts>>>(askAlerts, alertEvents);
  const { run, busy, problem: seenProblem } = useAction();
  const alertRow = (alert: Alert, place: Place) => (
    <AlertRow key={`${alert.asset} ${alert.rule}`} alert={alert} place={place} onOpen={() => go({ asset: alert.asset })} />
  );
  return (
    <div className="view">
      <div className="view-head">
        <h1>{messages.views.alerts}</h1>
        {items.some(({ seen }) => !seen) && (
          <button type="button" disabled={busy} onClick={() => void run(() => agent.markAlertsSeen({}))}>
            {messages.alerts.markSeen}
          </button>
        )}
      </div>
      <Problem text={problem ?? seenProblem} />
      {first && items.length === 0 && (
        <div className="nothing">
          <p>{messages.alerts.none}</p>
          <button type="button" className="primary" onClick={() => go({ view: 'rules' })}>
            {messages.alerts.toRules}
          </button>
        </div>
      )}
      <Rows items={items} hasMore={hasMore} busy={isReading} show={show} row={alertRow} />
      <OpenPhoto among={items} />
    </div>
  );
}

function AlertRow({ alert, place, onOpen }: { alert: Alert; place: Place; onOpen(): void }) {
  const { asset, ruleName, because, fileName, at, seen } = alert;
  return (
    <li className="row" {...place}>
      <Thumb asset={asset} />
      <div className="row-main">
        <button type="button" className="link row-name" onClick={onOpen}>
          {ruleName}
        </button>
        <span>{messages.alerts.line(because, fileName)}</span>
        <time className="hint" dateTime={at}>
          {formatMoment(at)}
        </time>
      </div>
      {!seen && <span className="state state-good">{messages.alerts.unseen}</span>}
    </li>
  );
}
