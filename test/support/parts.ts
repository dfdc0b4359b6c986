/** Parts of an erasure-coded chunk as a cluster stores them, made byte by byte: the tests' own witness of the arithmetic. */

const UNIT = 256 * 1024;

/** The data parts of a chunk, and the checksum part behind them. */
export function cutIntoParts(chunk: Uint8Array, dataParts: 4 | 8): Buffer[] {
  const units = Math.ceil(chunk.length / UNIT);
  const parts = Array.from({ length: dataParts }, (_, part) =>
    Buffer.concat(
      Array.from({ length: units }, (__, unit) => unit)
        .filter((unit) => unit % dataParts === part)
        .map((unit) => chunk.subarray(unit * UNIT, (unit + 1) * UNIT)),
    ),
  );
  const checksum = Buffer.alloc(parts[0]!.length);
  for (const part of parts) for (let i = 0; i < part.length; i++) checksum[i]! ^= part[i]!;
  return [...parts, checksum];
}
