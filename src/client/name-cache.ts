/**
 * Folders on the way to a file, as lookups found them: so that a path costs one packet, not one for each of its names. Only
 * folders, only for a second, and dropped by our own changes; what a call is about is always asked of the master.
 */
import type { Attributes } from '../protocol/attributes.ts';

/** How old an entry may be: as old as the official mount keeps its entries. */
export const NAME_FRESH_MS = 1000;
/** More entries than this are not kept. */
const LIMIT = 10_000;

/** A folder that was found under a name. */
export interface CachedFolder {
  readonly inode: number;
  readonly attributes: Attributes;
}

/** See above. */
export class NameCache {
  readonly #entries = new Map<string, CachedFolder & { at: number }>();

  get(parent: number, name: Buffer): CachedFolder | undefined {
    const key = keyOf(parent, name);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (performance.now() - entry.at <= NAME_FRESH_MS) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  set(parent: number, name: Buffer, folder: CachedFolder): void {
    // The oldest go first; a Map keeps the order of insertion.
    if (this.#entries.size >= LIMIT)
      for (const key of [...this.#entries.keys()].slice(0, LIMIT / 10)) this.#entries.delete(key);
    this.#entries.set(keyOf(parent, name), { ...folder, at: performance.now() });
  }

  forget(parent: number, name: Buffer): void {
    this.#entries.delete(keyOf(parent, name));
  }

  clear(): void {
    this.#entries.clear();
  }
}

function keyOf(parent: number, name: Buffer): string {
  return `${parent}/${name.toString('latin1')}`;
}
