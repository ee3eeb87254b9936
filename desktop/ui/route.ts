import { createContext, use, useCallback, useEffect, useMemo, useState } from 'react';
import type { AssetId } from '../../shared/model/asset.ts';

export const views = ['library', 'activity', 'folders', 'rules', 'alerts', 'costs', 'backend'] as const;
export type View = (typeof views)[number];

/** Where a person is in the page: kept in the address, so that reload, back and forward work. */
export interface Route {
  readonly view: View;
  /** The search text. */
  readonly query: string;
  /** The photo that is open. */
  readonly asset: AssetId | null;
}

/** Reads the address's fragment; whatever is not understood falls back to the library. */
export function parseRoute(hash: string): Route {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const asset = fields.get('photo') ?? '';
  return {
    view: views.find((view) => view === fields.get('view')) ?? 'library',
    query: fields.get('q') ?? '',
    asset: /^[0-9a-f]{64}$/.test(asset) ? (asset as AssetId) : null,
  };
}

/** The inverse of `parseRoute`. */
export function formatRoute({ view, query, asset }: Route): string {
  const fields = new URLSearchParams();
  if (view !== 'library') fields.set('view', view);
  if (query) fields.set('q', query);
  if (asset) fields.set('photo', asset);
  return `#${fields}`;
}

export interface Navigation {
  readonly route: Route;
  /** Goes there; `replace` leaves no entry in the browser's history. */
  go(change: Partial<Route>, how?: 'push' | 'replace'): void;
}

const NavigationContext = createContext<Navigation | null>(null);
export const NavigationProvider = NavigationContext.Provider;

export function useNavigation(): Navigation {
  const navigation = use(NavigationContext);
  if (!navigation) throw new Error('there is no NavigationProvider above');
  return navigation;
}

/** Follows the address; for the root of the page. */
export function useRoute(): Navigation {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const follow = () => setRoute(parseRoute(location.hash));
    window.addEventListener('popstate', follow);
    return () => window.removeEventListener('popstate', follow);
  }, []);
  const go = useCallback((change: Partial<Route>, how: 'push' | 'replace' = 'push') => {
    const next = { ...parseRoute(location.hash), ...change };
    if (how === 'push') history.pushState(null, '', formatRoute(next));
    else history.replaceState(null, '', formatRoute(next));
    setRoute(next);
  }, []);
  return useMemo(() => ({ route, go }), [route, go]);
}
