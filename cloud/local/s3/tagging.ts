import * as v from 'valibot';
import { checkTags } from './attributes.ts';
import { type Call, sendEmpty, sendXml } from './call.ts';
import { requireObject, setTags, type Tag } from './metadata.ts';
import { readXml } from './readXml.ts';

/** An element without children is read as text. */
const emptyElement = v.pipe(
  v.string(),
  v.transform(() => ({ Tag: [] })),
);
const taggingRequest = v.object({
  Tagging: v.object({
    TagSet: v.union([v.object({ Tag: v.optional(v.array(v.object({ Key: v.string(), Value: v.string() })), []) }), emptyElement]),
  }),
});
const maxTaggingBytes = 64 << 10;

export async function getTagging(call: Call): Promise<void> {
  const { tags } = requireObject(call.store.database, call.bucket, call.key);
  sendXml(call, 'Tagging', { TagSet: { Tag: tags.map(({ key, value }) => ({ Key: key, Value: value })) } });
}

export async function putTagging(call: Call): Promise<void> {
  const { Tagging } = await readXml(call, taggingRequest, maxTaggingBytes);
  await replaceTags(call, checkTags(Tagging.TagSet.Tag.map(({ Key, Value }) => ({ key: Key, value: Value }))));
  sendEmpty(call, 200);
}

export async function deleteTagging(call: Call): Promise<void> {
  await replaceTags(call, []);
  sendEmpty(call, 204);
}

function replaceTags({ store: { database }, bucket, key }: Call, tags: readonly Tag[]): Promise<void> {
  return database.commit(() => setTags(database, requireObject(database, bucket, key), tags));
}
