import { expect, test } from 'vitest';
import { moderationLabels } from '../../../../cloud/local/rekognition/moderationLabels.ts';

const nothing = { drawing: 0, hentai: 0, neutral: 0, porn: 0, sexy: 0 };

test.each([
  ['very likely pornography', { ...nothing, porn: 0.95 }, ['Explicit', 'Explicit Nudity']],
  ['a drawn one', { ...nothing, hentai: 0.9 }, ['Explicit', 'Explicit Nudity']],
  ['a swimsuit', { ...nothing, sexy: 0.92 }, ['Swimwear or Underwear']],
  ['something in between', { ...nothing, porn: 0.5, sexy: 0.5 }, []],
  ['a bee on a flower', { ...nothing, porn: 0.55, neutral: 0.35 }, []],
])('%s', (_, seen, expected) => {
  expect(moderationLabels(seen).map(({ Name }) => Name)).toEqual(expected);
});

test('a label of the second level comes after its parent', () => {
  expect(moderationLabels({ ...nothing, porn: 0.95 })).toEqual([
    { Name: 'Explicit', ParentName: '', TaxonomyLevel: 1, Confidence: 95 },
    { Name: 'Explicit Nudity', ParentName: 'Explicit', TaxonomyLevel: 2, Confidence: 95 },
  ]);
});
