import * as v from 'valibot';

const longest = 200;
const most = 100;

/**
 * What a person wants left out of a watched folder, as one line of a .gitignore says it: `*` stands for any characters of a name, `?` for one, `**` for
 * any folders between. Without a slash before its end it means a file or folder of that name anywhere in the watched folder, else one at that very place.
 */
export const ignoredGlob = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1, 'An empty pattern leaves nothing out.'),
  v.maxLength(longest, ({ input }) => `“${input.slice(0, 20)}…” is too long: a pattern has at most ${longest} characters.`),
  v.regex(/^[^\\]*$/, ({ input }) => `Write / between folders, not \\, in “${input}”.`),
  v.regex(
    /^[^[\]{}!]*$/,
    ({ input }) => `“${input}” has a sign that means nothing here: only *, ** and ? do. Write one pattern for each, and ? for a bracket.`,
  ),
  v.check(isPlainPath, ({ input }) => `“${input}” must say a place in the folder, without //, . and .. between its slashes.`),
);

export const ignoredGlobs = v.pipe(v.array(ignoredGlob), v.maxLength(most, `A folder has at most ${most} patterns.`));

function isPlainPath(glob: string): boolean {
  const names = glob.replace(/^\//, '').replace(/\/$/, '').split('/');
  return names.every((name) => !['', '.', '..'].includes(name));
}
