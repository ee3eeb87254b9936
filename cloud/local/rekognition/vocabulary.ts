import data from './vocabulary.json' with { type: 'json' };

/**
 * Rekognition's way of naming things: a label, the labels it is a kind of (nearest first), and its category. The data file maps every
 * class of the two models onto such names, so that a search or a rule written for one cloud works on the other.
 */
export interface Concept {
  readonly name: string;
  readonly parents: readonly string[];
  readonly category: string;
}

const concepts: Record<string, { parents: string[]; category: string }> = data.concepts;
const cocoNames: Record<string, string> = data.coco;

/**
 * What a model's class is called.
 * @param index ImageNet-1k: 0–999 in the usual order; COCO: the published category ids 1–90, which have gaps
 * @returns null for an index without a class
 */
export function conceptOf(model: 'imagenet' | 'coco', index: number): Concept | null {
  const name = model === 'imagenet' ? data.imagenet[index] : cocoNames[index];
  return name === undefined ? null : concept(name);
}

/** A label by its name, with all its ancestors as parents, as Rekognition lists them. */
export function concept(name: string): Concept {
  const entry = concepts[name];
  if (!entry) throw new Error(`the vocabulary has no ${JSON.stringify(name)}`);
  const parents = new Set<string>();
  const climb = (names: readonly string[]) => {
    for (const parent of names) parents.add(parent);
    for (const parent of names) climb(concepts[parent]?.parents ?? []);
  };
  climb(entry.parents);
  return { name, parents: [...parents], category: entry.category };
}
