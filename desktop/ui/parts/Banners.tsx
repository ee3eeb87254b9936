import { useConnection } from '../agent.tsx';
import { Icon } from '../icons.tsx';
import { messages } from '../messages.ts';
import { useNavigation } from '../route.ts';

/** What stands in the way of everything, at the top of every view. */
export function Banners() {
  const { link, status } = useConnection();
  const { route, go } = useNavigation();
  const lines = [
    link === 'lost' && messages.connection.lost,
    status?.problem,
    status?.notice,
    status?.offline && messages.status.offline(status.offline),
  ].filter((line) => typeof line === 'string');
  return (
    <div aria-live="polite">
      {lines.map((line) => (
        <p key={line} className="banner">
          <Icon name="warning" />
          {line}
        </p>
      ))}
      {status?.costs === 'unapproved' && (status.files.queued ?? 0) > 0 && route.view !== 'costs' && (
        <p className="banner">
          <Icon name="costs" />
          {messages.costs.unapproved}
          <button type="button" className="link" onClick={() => go({ view: 'costs', query: '', asset: null })}>
            {messages.costs.see}
          </button>
        </p>
      )}
    </div>
  );
}
