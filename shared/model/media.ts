/** File types by extension: what the agent sends. What a file truly is gets judged from its content, in the cloud. */
const types = {
  photo: {
    lookedAt: ['jpg', 'jpeg', 'png', 'webp', 'gif', 'tif', 'tiff', 'avif'],
    // Their pictures cannot be drawn yet: HEIC, and cameras' raw files.
    kept: ['heic', 'heif', 'dng', 'cr2', 'cr3', 'nef', 'arw', 'orf', 'rw2', 'raf'],
  },
  video: {
    // Rekognition looks at H.264 in MP4 (3GP is one inside) and MOV; which codec a file has shows only in the cloud.
    lookedAt: ['mp4', 'mov', 'm4v', '3gp'],
    kept: ['mkv', 'webm', 'avi', 'mts', 'm2ts', 'mpg', 'mpeg', 'wmv'],
  },
} as const;
const kinds = new Map<string, 'photo' | 'video'>(
  (['photo', 'video'] as const).flatMap((kind) => [...types[kind].lookedAt, ...types[kind].kept].map((ext) => [ext, kind] as const)),
);
const kept = new Set<string>([...types.photo.kept, ...types.video.kept]);

/** The lower-case extension of a file name without its dot; '' when there is none. */
export function extensionOf(name: string): string {
  return /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
}

/** Whether files of this extension (lower case, no dot) are sent, and as what. */
export function mediaKind(ext: string): 'photo' | 'video' | null {
  return kinds.get(ext) ?? null;
}

/** Whether files of this extension (lower case, no dot) are stored as they are: what is in them is not looked for, or not yet. */
export function isOnlyKept(ext: string): boolean {
  return kept.has(ext);
}
