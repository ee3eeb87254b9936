import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from './testServer.ts';

/** Keys in several "folders", some of which differ from a delimiter by a byte less or more, and in an order that UTF-16 would not give. */
const keys = [
  ...Array.from({ length: 25 }, (_, n) => `a/${String(n).padStart(2, '0')}`),
  'a-before-slash',
  'a/x/1',
  'a/x/2',
  'a/y',
  'a/z/1',
  'a0after-slash',
  'b',
  'b/',
  'b/c/d',
  'z/\uffee',
  'z/😀',
];
const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await Promise.all(keys.map((Key) => server.client.send(new PutObjectCommand({ Bucket: 'box', Key, Body: Key }))));
});
afterAll(() => server.remove());

type Query = Omit<ListObjectsV2CommandInput, 'Bucket'>;

/** What S3 documents a listing to be, computed from all keys at once. */
function expected({ Prefix = '', Delimiter = '', StartAfter = '' }: Query): string[] {
  const entries = sorted
    .filter((key) => key.startsWith(Prefix) && Buffer.compare(Buffer.from(key), Buffer.from(StartAfter)) > 0)
    .map((key) => {
      const cut = Delimiter === '' ? -1 : key.indexOf(Delimiter, Prefix.length);
      return cut < 0 ? key : `${key.slice(0, cut + Delimiter.length)} and more`;
    });
  return [...new Set(entries)];
}

interface Page {
  readonly Contents?: { Key?: string | undefined }[] | undefined;
  readonly CommonPrefixes?: { Prefix?: string | undefined }[] | undefined;
}

const entriesOf = ({ Contents = [], CommonPrefixes = [] }: Page) => {
  const entries = [...Contents.map(({ Key = '' }) => Key), ...CommonPrefixes.map(({ Prefix }) => `${Prefix} and more`)];
  return entries.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
};

const queries: Query[] = [
  {},
  { Prefix: 'a' },
  { Prefix: 'a/' },
  { Prefix: 'nothing' },
  { Delimiter: '/' },
  { Prefix: 'a/', Delimiter: '/' },
  { Prefix: 'b', Delimiter: '/' },
  { Prefix: 'a/x/', Delimiter: '/' },
  { Delimiter: 'after' },
  { StartAfter: 'a/10' },
  { StartAfter: 'a/10', Prefix: 'a/', Delimiter: '/' },
  { StartAfter: 'zzz' },
];

test.each(queries.flatMap((query) => [1, 2, 3, 7, 1000].map((MaxKeys) => ({ ...query, MaxKeys }))))(
  'pages of %j hold all',
  async (query) => {
    const pages: string[][] = [];
    let token: string | undefined;
    do {
      const page = await server.client.send(new ListObjectsV2Command({ Bucket: 'box', ...query, ContinuationToken: token }));
      expect(page.IsTruncated).toBe(page.NextContinuationToken !== undefined);
      expect(page.KeyCount).toBe(entriesOf(page).length);
      expect(page.KeyCount).toBeLessThanOrEqual(query.MaxKeys);
      pages.push(entriesOf(page));
      token = page.NextContinuationToken;
    } while (token !== undefined);
    expect(pages.flat()).toEqual(expected(query).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    expect(pages.slice(0, -1).every((page) => page.length === query.MaxKeys)).toBe(true);
  },
);

test.each([1, 4, 1000])('the older ListObjects gives the same in pages of %d', async (MaxKeys) => {
  for (const query of [{ Delimiter: '/' }, { Prefix: 'a/', Delimiter: '/' }, { Prefix: 'a' }]) {
    const pages: string[][] = [];
    let marker: string | undefined;
    do {
      const page = await server.client.send(new ListObjectsCommand({ Bucket: 'box', ...query, MaxKeys, Marker: marker }));
      pages.push(entriesOf(page));
      marker = page.IsTruncated ? (page.NextMarker ?? page.Contents?.at(-1)?.Key) : undefined;
    } while (marker !== undefined);
    expect(pages.flat().sort()).toEqual(expected(query).sort());
  }
});

test('objects are told with their size, ETag and time', async () => {
  const { Contents } = await server.client.send(new ListObjectsV2Command({ Bucket: 'box', Prefix: 'b/c' }));
  const described = {
    Key: 'b/c/d',
    Size: 5,
    ETag: '"7c8a5e4d3ab5d5a2f2a1ba4cb7a1a0a9"',
    StorageClass: 'STANDARD',
    ChecksumAlgorithm: ['CRC32'],
  };
  expect(Contents).toMatchObject([{ ...described, ETag: expect.stringMatching(/^"[0-9a-f]{32}"$/), LastModified: expect.any(Date) }]);
});

test('arguments that cannot be right are refused', async () => {
  for (const query of ['max-keys=-1', 'max-keys=many', 'continuation-token=%2A%2A', 'encoding-type=morse']) {
    expect(await server.send(`/box?list-type=2&${query}`)).toMatchObject({ status: 400, text: expect.stringContaining('InvalidArgument') });
  }
  const none = await server.client.send(new ListObjectsV2Command({ Bucket: 'box', MaxKeys: 0 }));
  expect(none).toMatchObject({ KeyCount: 0, IsTruncated: false });
});

test('uploads are listed in pages too, by key and then by age', async () => {
  const started: [string, string][] = [];
  for (const Key of ['m/1', 'm/1', 'm/1', 'm/2', 'n', 'm/sub/1', 'm/sub/2']) {
    const { UploadId = '' } = await server.client.send(new CreateMultipartUploadCommand({ Bucket: 'box', Key }));
    started.push([Key, UploadId]);
  }
  const byKey = (a: [string, string], b: [string, string]) => (a[0] < b[0] ? -1 : Number(a[0] > b[0]));
  for (const MaxUploads of [1, 2, 1000]) {
    const found: [string | undefined, string | undefined][] = [];
    let markers: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
    while (markers) {
      const page: Awaited<ReturnType<typeof list>> = await list({ MaxUploads, ...markers });
      found.push(...(page.Uploads ?? []).map(({ Key, UploadId }): [string | undefined, string | undefined] => [Key, UploadId]));
      markers = page.IsTruncated ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined;
    }
    expect(found).toEqual(started.toSorted(byKey));
  }
  const folders = await list({ Prefix: 'm/', Delimiter: '/' });
  expect(folders.CommonPrefixes).toEqual([{ Prefix: 'm/sub/' }]);
  expect(folders.Uploads?.map(({ Key }) => Key)).toEqual(['m/1', 'm/1', 'm/1', 'm/2']);
});

const list = (rest: object) => server.client.send(new ListMultipartUploadsCommand({ Bucket: 'box', ...rest }));
