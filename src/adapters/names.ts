/** Names that come from strangers: what of them may become the name of a file, and nothing else. */

/** The longest name in bytes; MooseFS takes 255, some are left for what services put in front and behind. */
const NAME_LIMIT = 200;
/** Control characters, separators, and what shells, Windows and browsers make something of. */
// eslint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f/\\:*?"<>|\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * A name that can stand in a folder: without separators, control characters and leading dots, at most 200 bytes, never empty. What
 * looks like a path loses its folders.
 *
 * @example
 * ```ts
 * import { safeName } from 'moosefs-client/multer';
 *
 * console.log(safeName('../../etc/passwd')); // passwd
 * ```
 */
export function safeName(name: string | null | undefined, fallback = 'file'): string {
  const last = (name ?? '').normalize('NFC').split(/[/\\]/).at(-1) ?? '';
  const clean = Buffer.from(last)
    .toString()
    .replace(UNSAFE, '_')
    .replace(/^[.\s]+/, '')
    .trim();
  return cut(clean) || fallback;
}

/** Cuts between characters, and keeps a short ending. */
function cut(name: string): string {
  if (Buffer.byteLength(name) <= NAME_LIMIT) return name;
  const ending = /\.[A-Za-z0-9]{1,10}$/.exec(name)?.[0] ?? '';
  let kept = '';
  let bytes = ending.length;
  for (const character of name) {
    bytes += Buffer.byteLength(character);
    if (bytes > NAME_LIMIT) break;
    kept += character;
  }
  return kept + ending;
}
