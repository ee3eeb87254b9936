import { expect, test } from 'vitest';
import data from '../../../../cloud/local/rekognition/vocabulary.json' with { type: 'json' };
import { concept, conceptOf } from '../../../../cloud/local/rekognition/vocabulary.ts';

test('every ImageNet class and every COCO class has a concept, and every parent is one', () => {
  const named = [
    ...Array.from({ length: 1000 }, (_, i) => conceptOf('imagenet', i)),
    ...Object.keys(data.coco).map((id) => conceptOf('coco', Number(id))),
  ];
  for (const found of named)
    for (const parent of found?.parents ?? expect.fail('a class has no concept')) expect(concept(parent).name).toBe(parent);
  expect(Object.keys(data.coco)).toHaveLength(80);
});

test('names agree between the models and carry Rekognition-like ancestors', () => {
  expect(conceptOf('imagenet', 207)).toEqual({
    name: 'Golden Retriever',
    parents: ['Dog', 'Canine', 'Pet', 'Mammal', 'Animal'],
    category: 'Animals and Pets',
  });
  expect(conceptOf('coco', 18)?.name).toBe('Dog');
  expect(conceptOf('imagenet', 288)?.name).toBe('Leopard');
  expect(conceptOf('imagenet', 954)?.name).toBe(conceptOf('coco', 52)?.name);
  expect(conceptOf('imagenet', 134)?.name).not.toBe(conceptOf('imagenet', 517)?.name);
});

test('an index that no class has is nothing', () => {
  expect(conceptOf('coco', 12)).toBeNull();
  expect(conceptOf('imagenet', 1000)).toBeNull();
});
