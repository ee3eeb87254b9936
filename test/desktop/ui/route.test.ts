import { expect, test } from 'vitest';
import { formatRoute, parseRoute, type Route } from '../../../desktop/ui/route.ts';
import type { AssetId } from '../../../shared/model/asset.ts';

const asset = 'a'.repeat(64) as AssetId;

test.each<Route>([
  { view: 'library', query: '', asset: null },
  { view: 'library', query: 'label:"traffic light">=90 & <b>#1', asset },
  { view: 'alerts', query: '', asset },
])('%j survives the address', (route) => {
  expect(parseRoute(formatRoute(route))).toEqual(route);
});

test('what is not understood leads to the library', () => {
  expect(parseRoute('#view=__proto__&photo=../../x&token=abc')).toEqual({ view: 'library', query: '', asset: null });
  expect(parseRoute('')).toEqual({ view: 'library', query: '', asset: null });
});
