import type { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { raiseAlerts } from '../../../../desktop/agent/alerts/raiseAlerts.ts';
import { indexText, refreshText } from '../../../../desktop/agent/search/indexText.ts';
import { complete, search } from '../../../../desktop/agent/search/search.ts';
import { InvalidInput } from '../../../../shared/errors.ts';
import type { RuleId } from '../../../../shared/model/rule.ts';
import { apply, idOf, labelOf, lineOf, linkFile, mediaOf, memoryDatabase, randomOf, recordOf } from './library.ts';

const never = new AbortController().signal;
const firstPage = { cursor: null, limit: 100 };
const match = { rule: 'r1' as RuleId, revision: 1, name: 'Dogs', because: 'Dog 97 %', notify: { desktop: true, sns: false } };

function smallLibrary() {
  const db = memoryDatabase();
  const dog = apply(
    db,
    recordOf('dog.jpg', {
      labels: [labelOf('Dog', 97), labelOf('Fire Truck', 60)],
      media: mediaOf({ takenAt: '2024-06-01T00:00:00.000Z' }),
    }),
  );
  apply(
    db,
    recordOf('cat.mp4', {
      ext: 'mp4',
      labels: [labelOf('Cat', 80)],
      media: mediaOf({ kind: 'video', durationMs: 72_500, takenAt: '2024-05-31T23:59:59.999Z' }),
    }),
  );
  apply(
    db,
    recordOf('both.jpg', {
      labels: [labelOf('Cat', 55), labelOf('Dog', 90)],
      text: [lineOf('INVOICE 2024'), lineOf('Crème brûlée')],
      moderation: [{ name: 'Alcohol', confidence: 90, parents: [] }],
      media: mediaOf({ takenAt: '2025-01-15T08:00:00.000Z' }),
    }),
  );
  linkFile(db, dog, '/photos/Été à la mer/IMG_0042.JPG');
  indexText(db, dog);
  raiseAlerts(db, dog, [match], '2025-01-01T00:00:00.000Z', false);
  return db;
}

const found = (db: DatabaseSync, text: string) => search(db, text, firstPage).items.map((hit) => hit.name);

describe('what is found', () => {
  const [dog, cat, both] = ['IMG_0042.JPG', 'cat.mp4', 'both.jpg'];
  test.each<[string, string[]]>([
    ['', [both, dog, cat]],
    ['dog', [both, dog]],
    ['do', [both, dog]],
    ['do ', []],
    ['truck', [dog]],
    ['"fire truck"', [dog]],
    ['"truck fire"', []],
    ['label:dog', [both, dog]],
    ['label:DOG>=97', [dog]],
    ['label:dog>97', []],
    ['-label:cat', [dog]],
    ['-label:dog>=95', [both, cat]],
    ['label:unicorn', []],
    ['-label:unicorn', [both, dog, cat]],
    ['label:dog label:cat', [both]],
    ['-dog', [cat]],
    ['dog -cat', [dog]],
    ['is:alert', [dog]],
    ['-is:alert is:photo', [both]],
    ['is:video', [cat]],
    ['invoice', [both]],
    ['text:inv', [both]],
    ['text:dog', []],
    ['text:"2024 creme"', [both]],
    ['text:"creme 2024"', []],
    ['-text:invoice', [dog, cat]],
    ['is:flagged', [both]],
    ['-is:flagged', [dog, cat]],
    ['after:2024-06', [both, dog]],
    ['before:2024-06', [cat]],
    ['after:2025-01-15 before:2025-01-16', [both]],
    ['ete mer', [dog]],
    ['img_0042', [dog]],
    ['img_00', [dog]],
    ['is:happy cat', [both, cat]],
  ])('%s', (text, names) => {
    expect(found(smallLibrary(), text)).toEqual(names);
  });
});

test('a hit has what the grid needs', () => {
  const { items, total, next } = search(smallLibrary(), 'is:alert', firstPage);
  expect({ items, total, next }).toEqual({
    items: [
      {
        asset: idOf('dog.jpg'),
        kind: 'photo',
        name: 'IMG_0042.JPG',
        takenAt: '2024-06-01T00:00:00.000Z',
        width: 640,
        height: 480,
        durationMs: null,
        hasThumb: true,
        isAlert: true,
      },
    ],
    total: 1,
    next: null,
  });
  expect(search(smallLibrary(), 'is:video', firstPage).items).toMatchObject([{ kind: 'video', durationMs: 72_500 }]);
});

test('pages follow each other without gap or repetition, also over equal times and while newer assets arrive', () => {
  const db = memoryDatabase();
  for (let i = 0; i < 25; i++) apply(db, recordOf(`${i}.jpg`, { media: mediaOf({ takenAt: `2024-0${1 + (i % 3)}-01T00:00:00.000Z` }) }));
  const names: string[] = [];
  let cursor: string | null = null;
  do {
    const page = search(db, 'jpg', { cursor, limit: 4 });
    expect(page.items.length).toBeLessThanOrEqual(4);
    names.push(...page.items.map((hit) => hit.name));
    cursor = page.next;
    apply(db, recordOf(`newer ${names.length}.jpg`, { media: mediaOf({ takenAt: '2025-01-01T00:00:00.000Z' }) }));
  } while (cursor);
  expect(names).toHaveLength(25);
  expect(new Set(names).size).toBe(25);
});

test.each(['nonsense', '', Buffer.from('["x"]').toString('base64url')])('a cursor that is none is refused: %s', (cursor) => {
  expect(() => search(memoryDatabase(), '', { cursor, limit: 10 })).toThrow(InvalidInput);
});

test('only what is analysed or kept is in the library', () => {
  const db = memoryDatabase();
  apply(db, recordOf('kept.mp4', { outcome: { kind: 'kept', reason: 'Videos are not analysed yet.' } }));
  apply(db, recordOf('rejected.jpg', { outcome: { kind: 'rejected', reason: 'damaged' }, labels: [labelOf('Dog')] }));
  apply(db, recordOf('unread.jpg', { outcome: { kind: 'rejected', reason: 'damaged' }, media: null }));
  apply(db, recordOf('failed.jpg', { outcome: { kind: 'failed', reason: 'tried too often' } }));
  expect(found(db, '')).toEqual(['kept.mp4']);
  expect(found(db, 'jpg')).toEqual([]);
  expect(complete(db, '', 10)).toEqual([]);
});

describe('free text follows the local files', () => {
  const files = (db: DatabaseSync, sql: string) => {
    db.exec(sql);
    return refreshText(db, never);
  };

  test('linked, renamed, removed, folder removed', async () => {
    const db = memoryDatabase();
    const n = apply(db, recordOf('original.jpg'));
    expect(found(db, 'original')).toEqual(['original.jpg']);

    linkFile(db, n, '/photos/holiday.jpg');
    linkFile(db, n, '/photos/copy.jpg');
    await refreshText(db, never);
    expect(found(db, 'holiday copy')).toEqual(['copy.jpg']);
    expect(found(db, 'original')).toEqual([]);

    await files(db, "DELETE FROM local_file WHERE path = '/photos/holiday.jpg'");
    expect(found(db, 'holiday')).toEqual([]);
    expect(found(db, 'copy')).toEqual(['copy.jpg']);

    await files(db, 'DELETE FROM watched_folder');
    expect(found(db, 'copy')).toEqual([]);
    expect(found(db, 'original')).toEqual(['original.jpg']);
  });

  test('edited: the path leads to the new content only', async () => {
    const db = memoryDatabase();
    const before = apply(db, recordOf('before.jpg'));
    const after = apply(db, recordOf('after.jpg'));
    linkFile(db, before, '/photos/cake.jpg');
    await refreshText(db, never);
    linkFile(db, after, '/photos/cake.jpg');
    await refreshText(db, never);
    expect(search(db, 'cake', firstPage).items.map((hit) => hit.asset)).toEqual([idOf('after.jpg')]);
    expect(found(db, 'before')).toEqual(['before.jpg']);
  });

  test('before the record is here there is nothing to find', async () => {
    const db = memoryDatabase();
    const { lastInsertRowid } = db.prepare('INSERT INTO asset (id, ext, size) VALUES (?, ?, ?)').run(idOf('new.jpg'), 'jpg', 1);
    linkFile(db, Number(lastInsertRowid), '/photos/new.jpg');
    await refreshText(db, never);
    expect(found(db, 'new')).toEqual([]);
    apply(db, recordOf('new.jpg'));
    expect(found(db, 'new')).toEqual(['new.jpg']);
  });

  test('more changes than fit in one go; others have their turn in between', async () => {
    const db = memoryDatabase();
    for (let i = 0; i < 500; i++) linkFile(db, apply(db, recordOf(`${i}.jpg`)), `/photos/${i} cake.jpg`);
    let turns = 0;
    const turn = () => {
      turns++;
      timer = setImmediate(turn);
    };
    let timer = setImmediate(turn);
    await refreshText(db, never);
    clearImmediate(timer);
    expect(search(db, 'cake', firstPage).total).toBe(500);
    expect(turns).toBeGreaterThan(5);
  });
});

test('hostile names are plain text', () => {
  const db = memoryDatabase();
  const name = `<img src=x onerror="alert(1)">' OR 1=1 --.jpg`;
  apply(db, recordOf(name, { labels: [labelOf('<b>Dog</b>'), labelOf('"; DROP TABLE asset; --')] }));
  expect(found(db, 'onerror')).toEqual([name]);
  expect(found(db, 'label:"<b>dog</b>"')).toEqual([name]);
  expect(search(db, 'label:<b>dog</b>', firstPage).problem).toBe('After “label:<b>” comes a number from 0 to 100.');
  expect(complete(db, '<', 10)).toEqual([{ label: '<b>Dog</b>', count: 1 }]);
  expect(found(db, `label:"' OR 1=1 --"`)).toEqual([]);
  expect(found(db, 'dog) OR (asset_text MATCH "jpg"')).toEqual([]);
});

test('completion counts assets, most frequent first, by normalised prefix', () => {
  const db = memoryDatabase();
  apply(db, recordOf('1', { labels: [labelOf('Dog'), labelOf('dog', 20), labelOf('Door')] }));
  apply(db, recordOf('2', { labels: [labelOf('DOG'), labelOf('Café')] }));
  expect(complete(db, 'DO', 10)).toEqual([
    { label: 'Dog', count: 2 },
    { label: 'Door', count: 1 },
  ]);
  expect(complete(db, 'CAFE\u0301', 10)).toEqual([{ label: 'Café', count: 1 }]);
  expect(complete(db, '', 1)).toEqual([{ label: 'Dog', count: 2 }]);
  expect(complete(db, '%', 10)).toEqual([]);

  apply(db, recordOf('2', { revision: 2, labels: [labelOf('Door')] }));
  expect(complete(db, '', 10)).toEqual([
    { label: 'Door', count: 2 },
    { label: 'Dog', count: 1 },
  ]);
});

describe('against a filter that looks at every asset', () => {
  const vocabulary = ['Dog', 'Dogwood', 'Cat', 'Red Panda', 'Snow', 'Tree', 'Île'];
  const places = ['beach', 'Snow', 'dog park', 'zürich', 'img_7', 'Red'];

  interface Sample {
    readonly name: string;
    readonly labels: Map<string, number>;
    readonly path: string | null;
    readonly takenAt: string;
    readonly kind: 'photo' | 'video';
    readonly isAlert: boolean;
  }

  const pick = <T>(random: () => number, list: readonly T[]) => list[Math.floor(random() * list.length)] as T;

  function sampleOf(random: () => number, i: number): Sample {
    const labels = new Map(vocabulary.filter(() => random() < 0.3).map((name) => [name, Math.round(random() * 100)]));
    return {
      name: `n${i}.jpg`,
      labels,
      path: random() < 0.7 ? `/photos/${pick(random, places)}/${pick(random, places)}/p${i}.jpg` : null,
      takenAt: new Date(Date.UTC(2024, Math.floor(random() * 12), 1 + Math.floor(random() * 3))).toISOString(),
      kind: random() < 0.2 ? 'video' : 'photo',
      isAlert: random() < 0.1,
    };
  }

  const plain = (text: string) =>
    text
      .normalize('NFD')
      .replace(/\p{Mn}/gu, '')
      .toLowerCase();
  const parts = (text: string) => plain(text).match(/[\p{L}\p{N}]+/gu) ?? [];
  const holdsPhrase = (text: string, phrase: string, prefix: boolean) => {
    const [have, want] = [parts(text), parts(phrase)];
    return have.some((_, at) => want.every((w, i) => (prefix && i === want.length - 1 ? have[at + i]?.startsWith(w) : have[at + i] === w)));
  };

  type Check = [text: string, holds: (sample: Sample) => boolean];

  function checkOf(random: () => number, last: boolean): Check {
    const not = random() < 0.3;
    const [text, holds] = positiveCheckOf(random, last && !not);
    return not ? [`-${text}`, (sample) => !holds(sample)] : [text, holds];
  }

  function positiveCheckOf(random: () => number, prefix: boolean): Check {
    const name = pick(random, vocabulary);
    const bound = Math.floor(random() * 100);
    const month = `2024-${String(1 + Math.floor(random() * 12)).padStart(2, '0')}`;
    const word = pick(random, ['dog', 'do', 'snow', 'ZURICH', 'img_7', 'ile', 'p1', 'n2', 'photos', 'red']);
    const texts = (sample: Sample) => [...sample.labels.keys(), sample.path ?? sample.name];
    return pick<Check>(random, [
      [`label:"${name}"`, (s) => s.labels.has(name)],
      [`label:"${name}">=${bound}`, (s) => (s.labels.get(name) ?? -1) >= bound],
      [`label:"${name}">${bound}`, (s) => (s.labels.get(name) ?? -1) > bound],
      [word, (s) => texts(s).some((t) => holdsPhrase(t, word, prefix))],
      ['"red panda"', (s) => texts(s).some((t) => holdsPhrase(t, 'red panda', false))],
      ['is:alert', (s) => s.isAlert],
      ['is:video', (s) => s.kind === 'video'],
      [`after:${month}`, (s) => s.takenAt.slice(0, 7) >= month],
      [`before:${month}-02`, (s) => s.takenAt.slice(0, 10) < `${month}-02`],
    ]);
  }

  test.each([1, 2, 3, 4, 5])('library of seed %i', async (seed) => {
    const random = randomOf(seed);
    const db = memoryDatabase();
    const samples = Array.from({ length: 200 }, (_, i) => sampleOf(random, i));
    const order = new Map<string, number>();
    for (const sample of samples) {
      const labels = [...sample.labels].map(([name, confidence]) => labelOf(name, confidence));
      const n = apply(db, recordOf(sample.name, { labels, media: mediaOf({ takenAt: sample.takenAt, kind: sample.kind }) }));
      order.set(sample.name, n);
      if (sample.path) linkFile(db, n, sample.path);
      if (sample.isAlert) raiseAlerts(db, n, [match], sample.takenAt, false);
    }
    await refreshText(db, never);
    const newestFirst = [...samples].sort(
      (a, b) => b.takenAt.localeCompare(a.takenAt) || (order.get(b.name) ?? 0) - (order.get(a.name) ?? 0),
    );
    for (let i = 0; i < 300; i++) {
      const count = Math.floor(random() * 4);
      const checks = Array.from({ length: count }, (_, at) => checkOf(random, at === count - 1));
      const text = checks.map(([piece]) => piece).join(' ');
      const expected = newestFirst.filter((sample) => checks.every(([, holds]) => holds(sample)));
      const answer = search(db, text, { cursor: null, limit: 500 });
      expect(
        answer.items.map((hit) => hit.asset),
        `seed ${seed}: ${text}`,
      ).toEqual(expected.map((sample) => idOf(sample.name)));
      expect(answer).toMatchObject({ total: expected.length, next: null, problem: null });
    }
  });
});

test('whatever is typed is answered', () => {
  const db = smallLibrary();
  const pieces = [
    'label:',
    'is:alert',
    '-',
    '"',
    ' ',
    '>=',
    ':',
    '\0',
    '\n',
    '*',
    '(',
    ')',
    ' AND ',
    ' NOT ',
    'NEAR(',
    '^',
    '\\',
    'dog',
    '\ud800',
    '🐕',
    'ß',
    '\u0378',
    '\u{1F1E6}',
    '𐐀',
    'ᲀ',
    '{',
    '+',
  ];
  for (let seed = 1; seed <= 3_000; seed++) {
    const random = randomOf(seed);
    const text = Array.from({ length: Math.floor(random() * 14) }, () => pieces[Math.floor(random() * pieces.length)]).join('');
    expect(() => search(db, text, firstPage), `seed ${seed}: ${JSON.stringify(text)}`).not.toThrow();
  }
  for (const word of ['a ', '-a ', 'label:a ', '-is:alert ', '"a b" ']) {
    expect(() => search(db, word.repeat(1000 / word.length), firstPage)).not.toThrow();
  }
});
