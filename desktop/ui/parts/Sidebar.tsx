import type { Status } from '../../../shared/contract.ts';
import { useConnection } from '../agent.tsx';
import { Icon } from '../icons.tsx';
import { messages } from '../messages.ts';
import { formatRoute, useNavigation, type View, views } from '../route.ts';
import { ProgressBar } from './ProgressBar.tsx';

/** Brand, navigation and the state of the work; at the bottom edge of a narrow window. */
export function Sidebar() {
  const { link, status } = useConnection();
  return (
    <header className="sidebar">
      <p className="brand">
        <img src="icon.svg" alt="" width="28" height="28" />
        {messages.appName}
      </p>
      <nav aria-label={messages.navigation}>
        <ul className="nav">
          {views.map((view) => (
            <NavItem key={view} view={view} badge={view === 'alerts' ? (status?.unseenAlerts ?? 0) : 0} />
          ))}
        </ul>
      </nav>
      {status && <Pulse status={status} isLost={link === 'lost'} />}
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
function Pulse({ status, isLost }: { status: Status; isLost: boolean }) {
  const { go } = useNavigation();
  const { filesDone, filesTotal } = status.progress;
  return (
    <button type="button" className="pulse" onClick={() => go({ view: 'activity', query: '', asset: null })}>
      <span className={`dot dot-${isLost ? 'quiet' : tone(status)}`} />
      <span>{isLost ? messages.status.lostShort : summary(status)}</span>
      {!isLost && filesTotal > filesDone && <ProgressBar status={status} />}
    </button>
  );
}

function tone({ problem, offline, paused, progress, scanning }: Status): 'bad' | 'quiet' | 'busy' | 'good' {
  if (problem !== null) return 'bad';
  if (paused || offline !== null) return 'quiet';
  return scanning || progress.filesTotal > progress.filesDone ? 'busy' : 'good';
}

function summary({ problem, offline, paused, progress, scanning }: Status): string {
  if (problem !== null) return messages.status.problemShort;
  if (paused) return messages.status.paused;
  if (offline !== null) return messages.status.offlineShort;
  if (progress.filesTotal > progress.filesDone) return messages.status.working(progress.filesDone, progress.filesTotal);
  return scanning ? messages.status.scanning : messages.status.upToDate;
}
