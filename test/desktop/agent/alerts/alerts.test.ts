import { describe, expect, test } from 'vitest';
import { countUnseenAlerts, listAlerts, markAlertsSeen, markTold, untoldAlerts } from '../../../../desktop/agent/alerts/alerts.ts';
import { raiseAlerts } from '../../../../desktop/agent/alerts/raiseAlerts.ts';
import type { Match, RuleId } from '../../../../shared/model/rule.ts';
import { apply, idOf, linkFile, memoryDatabase, recordOf } from '../search/library.ts';

const matchOf = (rule: string, rest: Partial<Match> = {}): Match => ({
  rule: rule as RuleId,
  revision: 1,
  name: `Rule ${rule}`,
  because: 'Dog 97 %',
  notify: { desktop: true, sns: false },
  ...rest,
});
const at = '2025-01-01T00:00:00.000Z';

describe('raising', () => {
  test('once for each asset and rule, whatever comes again', () => {
    const db = memoryDatabase();
    const [a, b] = [apply(db, recordOf('a.jpg')), apply(db, recordOf('b.jpg'))];
    const raise = (n: number, ...matches: Match[]) => {
      raiseAlerts(db, n, matches, at, false);
      const raised = untoldAlerts(db);
      for (const alert of raised) markTold(db, alert);
      return raised.map(({ asset, rule }) => [asset, rule]);
    };
    expect(raise(a, matchOf('1'), matchOf('2'))).toEqual([
      [idOf('a.jpg'), '1'],
      [idOf('a.jpg'), '2'],
    ]);
    expect(raise(a, matchOf('1', { revision: 7, because: 'Dog 99 %' }))).toEqual([]);
    expect(raise(b, matchOf('1'), matchOf('1'))).toEqual([[idOf('b.jpg'), '1']]);
    expect(listAlerts(db, { cursor: null, limit: 10 }).items).toHaveLength(3);
  });

  test('only where the rule asks for the desktop', () => {
    const db = memoryDatabase();
    raiseAlerts(db, apply(db, recordOf('a.jpg')), [matchOf('1', { notify: { desktop: false, sns: true } })], at, false);
    expect(untoldAlerts(db)).toEqual([]);
  });

  test('hostile names stay plain text; the file is called as it is here', () => {
    const db = memoryDatabase();
    const n = apply(db, recordOf('record.jpg'));
    linkFile(db, n, '/photos/<b>x.jpg');
    const match = matchOf('1', { name: '<script>alert(1)</script>', because: "'; DROP TABLE alert; --" });
    raiseAlerts(db, n, [match], at, false);
    expect(untoldAlerts(db)).toEqual([
      {
        asset: idOf('record.jpg'),
        rule: '1',
        ruleName: '<script>alert(1)</script>',
        because: "'; DROP TABLE alert; --",
        fileName: '<b>x.jpg',
        at,
        seen: false,
      },
    ]);
  });
});

describe('the list', () => {
  test('latest first, in pages without gap or repetition, also at equal times', () => {
    const db = memoryDatabase();
    for (let i = 0; i < 23; i++)
      raiseAlerts(db, apply(db, recordOf(`${i}`)), [matchOf('1'), matchOf('2')], `2025-01-0${1 + (i % 3)}T00:00:00.000Z`, false);
    const all: string[] = [];
    const times: string[] = [];
    let cursor: string | null = null;
    do {
      const page = listAlerts(db, { cursor, limit: 5 });
      all.push(...page.items.map(({ asset, rule }) => `${asset} ${rule}`));
      times.push(...page.items.map((alert) => alert.at));
      cursor = page.next;
    } while (cursor);
    expect(all).toHaveLength(46);
    expect(new Set(all).size).toBe(46);
    expect(times).toEqual(times.toSorted().toReversed());
  });

  test('seen and unseen', async () => {
    const db = memoryDatabase();
    const n = apply(db, recordOf('a.jpg'));
    raiseAlerts(db, n, [matchOf('1'), matchOf('2')], at, false);
    raiseAlerts(db, n, [matchOf('3')], at, true);
    expect(countUnseenAlerts(db)).toBe(2);
    expect(untoldAlerts(db).map(({ rule }) => rule)).toEqual(['1', '2']);
    await markAlertsSeen(db);
    expect(countUnseenAlerts(db)).toBe(0);
    expect(listAlerts(db, { cursor: null, limit: 10 }).items.every(({ seen }) => seen)).toBe(true);
  });
});
