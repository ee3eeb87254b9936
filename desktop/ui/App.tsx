import { useCallback, useEffect } from 'react';
import { type AnyEvent, useConnection, useEvents } from './agent.tsx';
import { messages } from './messages.ts';
import { AlertToasts } from './parts/AlertToasts.tsx';
import { Banners } from './parts/Banners.tsx';
import { Sidebar } from './parts/Sidebar.tsx';
import { NavigationProvider, useNavigation, useRoute, type View } from './route.ts';
import { Activity } from './views/Activity.tsx';
import { Alerts } from './views/Alerts.tsx';
import { Backend } from './views/Backend.tsx';
import { Costs } from './views/Costs.tsx';
import { Folders } from './views/Folders.tsx';
import { Library } from './views/Library.tsx';
import { Rules } from './views/Rules.tsx';

/** The whole page: where a person is, framed by the navigation; or why there is nothing to show. */
export function App() {
  const { link, agent } = useConnection();
  const navigation = useRoute();
  if (link === 'refused') return <Notice title={messages.connection.refusedTitle} text={messages.connection.refused} />;
  if (!agent) return <Notice title={messages.appName} text={messages.connection.connecting} />;
  return (
    <NavigationProvider value={navigation}>
      <Shell />
    </NavigationProvider>
  );
}

function Notice({ title, text }: { title: string; text: string }) {
  return (
    <main className="notice" aria-live="polite">
      <h1>{title}</h1>
      <p>{text}</p>
    </main>
  );
}

const contents: Record<View, () => React.JSX.Element> = {
  library: Library,
  activity: Activity,
  folders: Folders,
  rules: Rules,
  alerts: Alerts,
  backend: Backend,
  costs: Costs,
};

function Shell() {
  const { route, go } = useNavigation();
  const openAsked = useCallback(
    (event: AnyEvent) => {
      if (event.kind === 'openAsset') go({ view: 'alerts', asset: event.asset });
    },
    [go],
  );
  useEvents(openAsked);
  useEffect(() => {
    document.title = messages.pageTitle(messages.views[route.view]);
  }, [route.view]);
  const Content = contents[route.view];
  return (
    <div className="shell">
      <Sidebar />
      <div className="content">
        <Banners />
        <main key={route.view} className="scroller" id="scroller">
          <Content />
        </main>
        <AlertToasts />
      </div>
    </div>
  );
}
