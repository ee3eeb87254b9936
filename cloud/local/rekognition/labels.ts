import type { Box } from './vision/boxes.ts';
import type { SeenObject } from './vision/objects.ts';
import { concept, conceptOf } from './vocabulary.ts';

/** A label in Rekognition's terms, with what the two models together say. */
export interface FoundLabel {
  readonly name: string;
  /** 0–100. */
  readonly confidence: number;
  readonly parents: readonly string[];
  readonly category: string;
  /** Where it is, surest first; empty for what the whole picture shows. Boxes in ratios, confidence 0–100. */
  readonly instances: readonly { readonly box: Box; readonly confidence: number }[];
}

/*
 * [Note: from models to labels]
 * Looked through by eye on 330 photos (animals, buildings, tools, food, planets, paintings), two thirds of them unlike what the models were
 * trained on:
 * - The classifier must always choose, so its likelihoods are added up along the vocabulary: "Palace 0.4, Bell Tower 0.3, Church 0.2" says
 *   "Building 0.9". Such sums of several classes are nearly always right from 0.5 on. A class alone is wrong in half of the cases below 0.8
 *   ("Oil Rig 0.74" for a rocket, "Lighthouse 0.63" for a windmill) and right in four of five above.
 * - 399 of the 1000 classes are animals, so noise sums up to "Animal 0.5": a sum counts only as far as it is above chance.
 * - The detector is sure of things it never saw: a gorilla is a "Bear 0.98", a windmill an "Umbrella 0.96". The classifier knows better: what
 *   fills a good part of the picture must have at least some likelihood with it, or, where it has no such class (Scissors, Giraffe, …), no
 *   other single class may be likely. People are no class of it and are never doubted.
 */
const minShared = 0.5;
const minAlone = 0.8;
const doubtedFrom = 0.15;
const minSupport = 0.02;
const maxRival = 0.5;

const classCount = 1000;
/** For every label the classifier can tell: the classes that are it or a kind of it. */
const classesOf = new Map<string, number[]>();
for (let index = 0; index < classCount; index++) {
  const found = conceptOf('imagenet', index);
  for (const name of found ? [found.name, ...found.parents] : []) {
    const classes = classesOf.get(name) ?? [];
    classes.push(index);
    classesOf.set(name, classes);
  }
}

/**
 * What a picture shows, by both models, surest first. Every label brings its ancestors along, at least as sure, as Rekognition does.
 * @param classes likelihood of each of ImageNet's classes
 */
export function toLabels(objects: readonly SeenObject[], classes: Float32Array): FoundLabel[] {
  const confidences = new Map<string, number>();
  const add = (name: string, value: number) => {
    for (const each of [name, ...concept(name).parents]) confidences.set(each, Math.max(confidences.get(each) ?? 0, value));
  };
  const things = Map.groupBy(
    objects.filter((seen) => isSupported(seen, classes)),
    ({ category }) => conceptOf('coco', category)?.name,
  );
  for (const [name, seen] of things) if (name !== undefined) add(name, Math.max(...seen.map(({ score }) => score)));
  for (const [name, value] of scenes(classes)) add(name, value);
  return [...confidences]
    .map(([name, value]) => {
      const { parents, category } = concept(name);
      const instances = (things.get(name) ?? []).map(({ box, score }) => ({ box, confidence: percent(score) }));
      return { name, confidence: percent(value), parents, category, instances };
    })
    .sort((a, b) => b.confidence - a.confidence || b.parents.length - a.parents.length);
}

const percent = (ratio: number) => Math.min(100, ratio * 100);

const likelihood = (classes: Float32Array, name: string) => (classesOf.get(name) ?? []).reduce((sum, i) => sum + (classes[i] ?? 0), 0);

/** What the whole picture shows: label → 0–1. See [Note: from models to labels]. */
function scenes(classes: Float32Array): [name: string, value: number][] {
  return [...classesOf].flatMap(([name, own]) => {
    const chance = own.length / classCount;
    const value = (likelihood(classes, name) - chance) / (1 - chance);
    return value >= (own.length === 1 ? minAlone : minShared) ? [[name, value]] : [];
  });
}

/** Whether the classifier lets a thing of the detector pass. See [Note: from models to labels]. */
function isSupported({ category, box }: SeenObject, classes: Float32Array): boolean {
  const name = conceptOf('coco', category)?.name;
  if (name === undefined) return false;
  if (name === 'Person' || box.width * box.height < doubtedFrom) return true;
  return classesOf.has(name) ? likelihood(classes, name) >= minSupport : Math.max(...classes) <= maxRival;
}
