import type { Image, BoundingBox as RekognitionBox } from '@aws-sdk/client-rekognition';
import { renditionKey } from '../../shared/keys.ts';
import type { AssetId, LibraryId } from '../../shared/model/asset.ts';
import type { BoundingBox } from '../../shared/model/label.ts';
import type { Backend } from './backend.ts';

/** What the detectors share: what they look at, and how numbers are taken over. */

export const analysisCopy = ({ names }: Backend, library: LibraryId, asset: AssetId): Image => ({
  S3Object: { Bucket: names.outputBucket, Name: renditionKey(library, asset, 'analysis') },
});

const rounded = (value: number, digits: number) => Number(value.toFixed(digits));

/** Four digits are less than a pixel of the analysis copy; more would only fill the record. */
export const boxOf = ({ Left = 0, Top = 0, Width = 0, Height = 0 }: RekognitionBox = {}): BoundingBox => ({
  left: rounded(Left, 4),
  top: rounded(Top, 4),
  width: rounded(Width, 4),
  height: rounded(Height, 4),
});

export const percent = (confidence = 0): number => rounded(confidence, 2);
