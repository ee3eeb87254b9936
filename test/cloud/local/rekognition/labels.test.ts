import { describe, expect, test } from 'vitest';
import { toLabels } from '../../../../cloud/local/rekognition/labels.ts';
import { conceptOf } from '../../../../cloud/local/rekognition/vocabulary.ts';

const classNamed = (name: string) => {
  const index = Array.from({ length: 1000 }, (_, i) => i).find((i) => conceptOf('imagenet', i)?.name === name);
  if (index === undefined) throw new Error(`no class is called ${name}`);
  return index;
};

/** Likelihoods of all classes; what is left over is spread evenly. */
function classes(likely: Record<string, number> = {}): Float32Array {
  const rest = 1 - Object.values(likely).reduce((sum, value) => sum + value, 0);
  const all = new Float32Array(1000).fill(rest / 1000);
  for (const [name, value] of Object.entries(likely)) {
    const index = classNamed(name);
    all[index] = (all[index] ?? 0) + value;
  }
  return all;
}

const bear = 23;
const person = 1;
const scissors = 87;
const large = { left: 0.2, top: 0.2, width: 0.6, height: 0.6 };
const small = { left: 0.4, top: 0.4, width: 0.2, height: 0.2 };
const names = (labels: readonly { name: string }[]) => labels.map(({ name }) => name);

describe('what the classifier says', () => {
  test('adds up to what several likely classes have in common', () => {
    const labels = toLabels([], classes({ Palace: 0.32, Monastery: 0.32, Church: 0.32 }));
    expect(names(labels)).toEqual(expect.arrayContaining(['Architecture', 'Building', 'Religion']));
    expect(labels.find(({ name }) => name === 'Building')?.confidence).toBeGreaterThan(90);
    for (const unsure of ['Palace', 'Monastery', 'Church']) expect(names(labels)).not.toContain(unsure);
  });

  test('is believed of a single class only when it is very likely', () => {
    expect(names(toLabels([], classes({ Lighthouse: 0.75 })))).not.toContain('Lighthouse');
    expect(names(toLabels([], classes({ Lighthouse: 0.85 })))).toContain('Lighthouse');
  });

  test('is nothing when it has no idea, although two fifths of all classes are animals', () => {
    expect(toLabels([], classes())).toEqual([]);
  });
});

describe('what the detector says', () => {
  test('is a label with its boxes, as sure as the surest', () => {
    const labels = toLabels(
      [
        { category: person, score: 0.7, box: large },
        { category: person, score: 0.9, box: small },
      ],
      classes(),
    );
    expect(labels).toEqual([
      {
        name: 'Person',
        confidence: expect.closeTo(90),
        parents: [],
        category: 'Person Description',
        instances: [
          { box: large, confidence: expect.closeTo(70) },
          { box: small, confidence: expect.closeTo(90) },
        ],
      },
    ]);
  });

  test('is not believed of a large thing against a sure classifier', () => {
    const gorilla = classes({ Gorilla: 0.95 });
    expect(names(toLabels([{ category: bear, score: 0.98, box: large }], gorilla))).not.toContain('Bear');
    expect(names(toLabels([{ category: bear, score: 0.98, box: small }], gorilla))).toContain('Bear');
    expect(names(toLabels([{ category: person, score: 0.98, box: large }], gorilla))).toContain('Person');
    expect(names(toLabels([{ category: bear, score: 0.98, box: large }], classes({ 'Brown Bear': 0.1 })))).toContain('Bear');
  });

  test('of a thing that the classifier does not know, unless that is sure of something else', () => {
    const seen = [{ category: scissors, score: 0.8, box: large }];
    expect(names(toLabels(seen, classes({ Hammer: 0.9 })))).not.toContain('Scissors');
    expect(names(toLabels(seen, classes({ Hammer: 0.4 })))).toContain('Scissors');
  });
});

test('every label brings its ancestors, at least as sure, and the surest come first', () => {
  const labels = toLabels([{ category: bear, score: 0.97, box: large }], classes({ 'Brown Bear': 0.6, Palace: 0.3 }));
  const confidences = new Map(labels.map(({ name, confidence }) => [name, confidence]));
  expect(confidences.size).toBeGreaterThan(2);
  for (const { parents, confidence } of labels) {
    for (const parent of parents) expect(confidences.get(parent)).toBeGreaterThanOrEqual(confidence);
  }
  expect(labels.map(({ confidence }) => confidence)).toEqual([...confidences.values()].sort((a, b) => b - a));
});
