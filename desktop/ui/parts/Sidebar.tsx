import type { Status } from '../../../shared/contract.ts';
import { useConnection } from '../agent.tsx';
import { Icon } from '../icons.tsx';
import { messages } from '../messages.ts';
import { formatRoute, useNavigation, type View, views } from '../route.ts';
import { ProgressBar } from './ProgressBar.tsx';

/** Brand, navigation and the state of the work; at the bottom edge of a narrow window. */
export function Sidebar() {
  const { link, status, burst } = useConnection();
  // Who pays nothing need not be bothered with it.
  const isShown = (view: View) => view !== 'costs' || status?.costs === 'approved' || status?.costs === 'unapproved';
  return (
    <header className="sidebar">
      <p className="brand">
        <img src="icon.svg" alt="" width="28" height="28" />
        {messages.appName}
      </p>
      <nav aria-label={messages.navigation}>
        <ul className="nav">
          {views.filter(isShown).map((view) => (
            <NavItem key={view} view={view} badge={view === 'alerts' ? (status?.unseenAlerts ?? 0) : 0} />
          ))}
        </ul>
      </nav>
      {status && <Pulse status={status} left={burst.left} isLost={link === 'lost'} />}
    </header>
  );
}

function NavItem({ view, badge }: { view: View; badge: number }) {
  const { route, go } = useNavigation();
  const target = { view, query: '', asset: null };
  return (
    <li>
      <a
        href={formatRoute(target)}
        aria-current={route.view === view ? 'page' : undefined}
        onClick={(event) => {
          event.preventDefault();
          go(target);
        }}
      >
        <Icon name={view} />
        <span>{messages.views[view]}</span>
        {badge > 0 && (
          <span className="badge">
            {badge > 99 ? '99+' : badge} <span className="unseen">{messages.alerts.unseen}</span>
          </span>
        )}
      </a>
    </li>
  );
}

/** The status in a few words, the most pressing thing first; it leads to the activity. */
function Pulse({ status, left, isLost }: { status: Status; left: number; isLost: boolean }) {
  const { go } = useNavigation();
  const { tone, text } = isLost ? ({ tone: 'quiet', text: messages.status.lostShort } as const) : summary(status, left);
  return (
    <button type="button" className="pulse" onClick={() => go({ view: 'activity', query: '', asset: null })}>
      <span className={`dot dot-${tone}`} />
      <span>{text}</span>
      {!isLost && left > 0 && <ProgressBar />}
    </button>
  );
}

function summary(
  { problem, offline, paused, costs, scanning }: Status,
  left: number,
): { tone: 'bad' | 'quiet' | 'busy' | 'good'; text: string } {
  if (problem !== null) return { tone: 'bad', text: messages.status.problemShort };
  if (paused) return { tone: 'quiet', text: messages.status.paused };
  if (offline !== null) return { tone: 'quiet', text: messages.status.offlineShort };
  if (costs === 'unapproved' && left > 0) return { tone: 'quiet', text: messages.costs.unapprovedShort };
  if (left > 0) return { tone: 'busy', text: messages.status.left(left) };
  return scanning ? { tone: 'busy', text: messages.status.scanning } : { tone: 'good', text: messages.status.upToDate };
}
