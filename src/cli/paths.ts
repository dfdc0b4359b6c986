/** Paths as bytes: names may be no UTF-8, here and there, and are not to be changed on their way. */

const SLASH = 0x2f;

/** `folder/name`. */
export function joinPath(folder: Buffer, name: Buffer): Buffer {
  return folder.at(-1) === SLASH ? Buffer.concat([folder, name]) : Buffer.concat([folder, Buffer.from('/'), name]);
}

/** Without slashes at its end; `/` stays. */
function trimmed(path: Buffer): Buffer {
  let end = path.length;
  while (end > 1 && path[end - 1] === SLASH) end--;
  return path.subarray(0, end);
}

/** The last name of a path; empty for `/`, `.` and `..`, which have none that could be used elsewhere. */
export function baseName(path: Buffer): Buffer {
  const whole = trimmed(path);
  const name = whole.subarray(whole.lastIndexOf(SLASH) + 1);
  return ['', '.', '..'].includes(name.toString('latin1')) ? Buffer.alloc(0) : name;
}

/** The folder that a path's last name is in. */
export function folderOf(path: Buffer): Buffer {
  const whole = trimmed(path);
  const at = whole.lastIndexOf(SLASH);
  if (at < 0) return Buffer.from('.');
  return at === 0 ? Buffer.from('/') : whole.subarray(0, at);
}

/** Whether only a folder will do. */
export const endsInSlash = (path: Buffer): boolean => path.at(-1) === SLASH;

/** A path of the file system from its root, without `.`, `..` and empty names: to compare paths, not to use them. */
export function normalized(path: Buffer): string {
  const names: string[] = [];
  for (const name of path.toString('latin1').split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return `/${names.join('/')}`;
}

/** Whether `path` is `folder` or lies in it. */
export function isWithin(path: Buffer, folder: Buffer): boolean {
  const [inner, outer] = [normalized(path), normalized(folder)];
  return outer === '/' || inner === outer || inner.startsWith(`${outer}/`);
}

/** By bytes, as ls does in the C locale. */
export const byName = (a: { readonly name: Buffer }, b: { readonly name: Buffer }): number => a.name.compare(b.name);

/** A name for JSON: text, and the bytes too where the text cannot say what they are. */
export function jsonPath(path: Buffer): { path: string; pathBase64?: string } {
  const text = path.toString();
  return Buffer.from(text).equals(path) ? { path: text } : { path: text, pathBase64: path.toString('base64') };
}
