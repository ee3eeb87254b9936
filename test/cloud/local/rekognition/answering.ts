import * as v from 'valibot';
import { jsonService, operation } from '../../../../cloud/local/gateway/jsonService.ts';
import type { Service } from '../../../../cloud/local/gateway/service.ts';

/** A Rekognition that answers this, and else sees nothing: for what is not about what is seen. */
export function answering(
  answers: { readonly [K in 'labels' | 'faces' | 'text' | 'moderation']?: (input: unknown) => object } = {},
): Service {
  const {
    labels = () => ({ Labels: [] }),
    faces = () => ({ FaceDetails: [] }),
    text = () => ({ TextDetections: [] }),
    moderation = () => ({ ModerationLabels: [] }),
  } = answers;
  const operations = {
    DetectLabels: operation(v.unknown(), async (input) => labels(input)),
    DetectFaces: operation(v.unknown(), async (input) => faces(input)),
    DetectText: operation(v.unknown(), async (input) => text(input)),
    DetectModerationLabels: operation(v.unknown(), async (input) => moderation(input)),
  };
  return jsonService({ targetPrefix: 'RekognitionService', version: '1.1', operations });
}
