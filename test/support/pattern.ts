/** Bytes for tests: the same for the same seed, without repetition, so that a swapped or shifted piece is seen. */

const BLOCK = 65_536;

/** `size` bytes that depend on `seed`: a xorshift of 32 bits. */
export function pattern(size: number, seed: number): Buffer {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return Buffer.from(words.buffer, 0, size);
}

/** The numbers from 0 to `count` - 1 in an order that depends on `seed`. */
export function shuffled(count: number, seed: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  const random = pattern(4 * count, seed);
  for (let i = count - 1; i > 0; i--) {
    const other = random.readUInt32LE(4 * i) % (i + 1);
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  return order;
}

/** Where two buffers differ first, for people; undefined where they are equal. Quick also on 130 MiB. */
export function difference(found: Uint8Array, wanted: Uint8Array): string | undefined {
  if (Buffer.compare(found, wanted) === 0) return undefined;
  if (found.length !== wanted.length) return `${found.length} bytes, not ${wanted.length}`;
  const at = wanted.findIndex((byte, i) => byte !== found[i]);
  return `differs from byte ${at} on (block ${Math.floor(at / BLOCK)}, offset ${at % BLOCK})`;
}
