/** File types by extension: what the agent sends. What a file truly is gets judged from its content, in the cloud. */
const photo = [
  'jpg',
  'jpeg',
  'png',
  'webp',
  'gif',
  'tif',
  'tiff',
  'avif',
  'heic',
  'heif',
  'dng',
  'cr2',
  'cr3',
  'nef',
  'arw',
  'orf',
  'rw2',
  'raf',
];
const video = ['mp4', 'mov', 'm4v', '3gp', 'mkv', 'webm', 'avi', 'mts', 'm2ts', 'mpg', 'mpeg', 'wmv'];
const kinds = new Map<string, 'photo' | 'video'>([...photo.map((e) => [e, 'photo'] as const), ...video.map((e) => [e, 'video'] as const)]);

/** The lower-case extension of a file name without its dot; '' when there is none. */
export function extensionOf(name: string): string {
  return /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
}

/** Whether files of this extension (lower case, no dot) are sent, and as what. */
export function mediaKind(ext: string): 'photo' | 'video' | null {
  return kinds.get(ext) ?? null;
}
