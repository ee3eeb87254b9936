import type { Suitability } from './vision/moderation.ts';

/**
 * The model is quick to see skin where there is none (of a bee on a flower it says 55 % pornography, of a footballer 89 % "sexy"), so that
 * only what it is very sure of is told.
 */
const minLikelihood = 0.9;

/**
 * Rekognition's ModerationLabels, each with its parent before it. The names are those of its taxonomy, version 7:
 * https://docs.aws.amazon.com/rekognition/latest/dg/moderation-api.html
 */
export function moderationLabels({ porn, hentai, sexy }: Suitability) {
  const label = (Name: string, likely: number, ParentName = '') => ({
    Confidence: Math.min(100, likely * 100),
    Name,
    ParentName,
    TaxonomyLevel: ParentName === '' ? 1 : 2,
  });
  const explicit = Math.max(porn, hentai);
  if (explicit >= minLikelihood) return [label('Explicit', explicit), label('Explicit Nudity', explicit, 'Explicit')];
  return sexy >= minLikelihood ? [label('Swimwear or Underwear', sexy)] : [];
}
