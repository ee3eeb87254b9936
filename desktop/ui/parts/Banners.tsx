import { useConnection } from '../agent.tsx';
import { Icon } from '../icons.tsx';
import { messages } from '../messages.ts';

/** What stands in the way of everything, at the top of every view. */
export function Banners() {
  const { link, status } = useConnection();
  const lines = [
    link === 'lost' && messages.connection.lost,
    status?.problem && messages.status.problem(status.problem),
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
    </div>
  );
}
