/**
 * Version numbers as they stand on the wire, and the gates that say from which version on a field exists.
 *
 * Wire form: `major << 16 | middle << 8 | minor * 2`; bit 0 marks the Pro edition and is cleared here. Before 2.0.0 the minor
 * number stood there as it is.
 */

/** A version as a number that can be compared: the wire's form with bit 0 cleared. */
export type Version = number;

/** From here on the minor number is doubled. */
const DOUBLED_SINCE: Version = 0x0002_0000;

/** A version written out, such as `4.59.2`. */
export type VersionText = `${number}.${number}.${number}`;

/** `version('3.0.117')` is `0x000300ea`. */
export function version(text: VersionText): Version {
  const [major, middle, minor] = text.split('.').map(Number) as [number, number, number];
  const base = (major << 16) | (middle << 8);
  return base | (base < DOUBLED_SINCE && base >= 0 ? minor : minor * 2);
}

/** The version that a u32 of the wire means. */
export function fromWire(value: number): Version {
  return value < DOUBLED_SINCE ? value : (value & ~1) >>> 0;
}

/** `4.59.2`, for people. */
export function formatVersion(value: Version): VersionText {
  const minor = value & 0xff;
  return `${value >>> 16}.${(value >>> 8) & 0xff}.${value < DOUBLED_SINCE ? minor : minor >>> 1}`;
}

/** The newest protocol that this package speaks. */
export const OURS: Version = version('4.59.2');

/**
 * The one version that decides every layout on a connection. We announce it, so that server and client agree: replies are
 * laid out by the announced version as far as the server knows it, requests by what the server understands.
 */
export function effective(ours: Version, theirs: Version): Version {
  return Math.min(ours, theirs);
}

/** Says in which versions something exists. */
export interface Gate {
  readonly text: string;
  includes(version: Version): boolean;
}

const V4 = version('4.0.0');

/**
 * Exists since `first`; where the 4.x line got it later than the 3.x line did, `firstOf4` says when.
 * `since('3.0.113', '4.22.0')`: in 3.0.113 and later 3.x, and from 4.22.0 on, but not in 4.0 to 4.21.
 */
export function since(first: VersionText, firstOf4?: VersionText): Gate {
  const low = version(first);
  const low4 = firstOf4 === undefined ? low : version(firstOf4);
  return {
    text: firstOf4 === undefined ? `since ${first}` : `since ${first} / ${firstOf4}`,
    includes: (value) => value >= (value >= V4 ? low4 : low),
  };
}

/** Existed before `end` and not from it on. */
export function until(end: VersionText): Gate {
  const limit = version(end);
  return { text: `until ${end}`, includes: (value) => value < limit };
}

/**
 * The servers that this package works with. 4.0 to 4.21 lack what 3.0.113 has already (the flags of OPEN, the mask of disabled
 * operations, the former length from TRUNCATE): the layouts declared here are not theirs.
 */
export const SUPPORTED_SERVERS: Gate = since('3.0.115', '4.22.0');
