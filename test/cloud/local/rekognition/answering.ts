import * as v from 'valibot';
import { jsonService, operation } from '../../../../cloud/local/gateway/jsonService.ts';
import type { Service } from '../../../../cloud/local/gateway/service.ts';

/** A Rekognition that answers this, and else sees nothing: for what is not about what is seen. */
export function answering(answers: { readonly [K in 'labels' | 'faces' | 'text' | 'moderation']?: () => object } = {}): Service {
  const {
    labels = () => ({ Labels: [] }),
    faces = () => ({ FaceDetails: [] }),
    text = () => ({ TextDetections: [] }),
    moderation = () => ({ ModerationLabels: [] }),
  } = answers;
  const operations = {
    DetectLabels: operation(v.unknown(), async () => labels()),
    DetectFaces: operation(v.unknown(), async () => faces()),
    DetectText: operation(v.unknown(), async () => text()),
    DetectModerationLabels: operation(v.unknown(), async () => moderation()),
  };
  return jsonService({ targetPrefix: 'RekognitionService', version: '1.1', operations });
}
