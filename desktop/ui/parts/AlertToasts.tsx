import { useCallback, useEffect, useEffectEvent, useState } from 'react';
import type { Alert } from '../../../shared/contract.ts';
import { type AnyEvent, useEvents } from '../agent.tsx';
import { Icon } from '../icons.tsx';
import { messages } from '../messages.ts';
import { useNavigation } from '../route.ts';

/** More would cover the page; the list of alerts has them all. */
const mostShown = 3;
const shownForMs = 12_000;

/** Alerts as they are raised, under the page, for a while. */
export function AlertToasts() {
  const { go } = useNavigation();
  const [shown, setShown] = useState<readonly Alert[]>([]);
  const raise = useCallback((event: AnyEvent) => {
    if (event.kind === 'alertRaised') setShown((old) => [event.alert, ...old].slice(0, mostShown));
  }, []);
  useEvents(raise);
  return (
    <ul className="toasts" aria-live="polite">
      {shown.map((alert) => (
        <Toast
          key={`${alert.asset} ${alert.rule}`}
          alert={alert}
          onDismiss={() => setShown((old) => old.filter((other) => other !== alert))}
          onShow={() => go({ view: 'alerts', asset: alert.asset })}
        />
      ))}
    </ul>
  );
}

function Toast({ alert, onDismiss, onShow }: { alert: Alert; onDismiss(): void; onShow(): void }) {
  const dismiss = useEffectEvent(onDismiss);
  useEffect(() => {
    const timer = setTimeout(dismiss, shownForMs);
    return () => clearTimeout(timer);
  }, []);
  return (
    <li className="toast">
      <Icon name="alerts" />
      <p>
        <strong>{alert.ruleName}</strong>
        <br />
        {messages.alerts.line(alert.because, alert.fileName)}
      </p>
      <button
        type="button"
        onClick={() => {
          onDismiss();
          onShow();
        }}
      >
        {messages.alerts.show}
      </button>
      <button type="button" className="quiet" aria-label={messages.alerts.dismiss} onClick={onDismiss}>
        <Icon name="close" />
      </button>
    </li>
  );
}
