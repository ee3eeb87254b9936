import { S3ServiceException } from '@aws-sdk/client-s3';
import sharp from 'sharp';
import * as v from 'valibot';
import { ServiceError } from '../gateway/service.ts';

/** https://docs.aws.amazon.com/rekognition/latest/dg/limits.html */
const maxObjectBytes = 15 * 1024 * 1024;
const maxSentBytes = 5 * 1024 * 1024;
const minSide = 80;
const maxSide = 10_000;

/** Rekognition's Image: the picture itself in base64, or where it lies. Versions of objects are not known here. */
export const image = v.union(
  [
    v.strictObject({ Bytes: v.pipe(v.string(), v.minLength(1)) }),
    v.strictObject({ S3Object: v.strictObject({ Bucket: v.pipe(v.string(), v.minLength(1)), Name: v.pipe(v.string(), v.minLength(1)) }) }),
  ],
  'must be either Bytes or an S3Object with Bucket and Name',
);
export type Image = v.InferOutput<typeof image>;

/** Gives the bytes of an object; rejects as the S3 client does. Of a longer object `maxBytes + 1` are enough. */
export type GetObject = (bucket: string, key: string, maxBytes: number) => Promise<Uint8Array>;

/**
 * Reads a picture and checks it against Rekognition's limits.
 * @throws ServiceError with Rekognition's name for what is wrong with it
 */
export async function readImage(from: Image, getObject: GetObject): Promise<Uint8Array> {
  const [bytes, maxBytes] =
    'Bytes' in from ? [Buffer.from(from.Bytes, 'base64'), maxSentBytes] : [await readObject(from.S3Object, getObject), maxObjectBytes];
  if (bytes.length > maxBytes) {
    throw new ServiceError('ImageTooLargeException', `The picture has more than ${maxBytes} bytes, the most that can be looked at.`);
  }
  await checkImage(bytes);
  return bytes;
}

async function readObject({ Bucket, Name }: { Bucket: string; Name: string }, getObject: GetObject): Promise<Uint8Array> {
  try {
    return await getObject(Bucket, Name, maxObjectBytes);
  } catch (error) {
    if (!(error instanceof S3ServiceException) || error.$fault !== 'client') throw error;
    const text = 'Unable to get object metadata from S3. Check object key, region and/or access permissions.';
    throw new ServiceError('InvalidS3ObjectException', text, 400, { cause: error });
  }
}

/** By the picture's header alone: nothing is decoded. */
async function checkImage(bytes: Uint8Array): Promise<void> {
  // The limit on pixels is checked here, with the name it has in Rekognition.
  const { format, width, height } = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch((error: unknown) => {
      throw invalidFormat('It is no picture.', { cause: error });
    });
  if (format !== 'jpeg' && format !== 'png') throw invalidFormat('It is neither a JPEG nor a PNG.');
  if (Math.min(width, height) < minSide) {
    throw new ServiceError('InvalidParameterException', `The picture is ${width} × ${height}; both sides need at least ${minSide} pixels.`);
  }
  if (Math.max(width, height) > maxSide) {
    const text = `Input image dimensions ${width} x ${height} exceed maximum dimension size of ${maxSide} pixels`;
    throw new ServiceError('ImageTooLargeException', text);
  }
}

export const invalidFormat = (reason: string, options?: ErrorOptions) =>
  new ServiceError('InvalidImageFormatException', `Request has invalid image format. ${reason}`, 400, options);
