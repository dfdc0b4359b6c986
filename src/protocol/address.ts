/** IPv4 addresses as the wire has them: u32. */

/** Where a server listens, as the wire has it. */
export interface Address {
  /** The IPv4 address as a number. */
  readonly ip: number;
  readonly port: number;
}

/** `10.0.0.1` from `0x0a000001`. */
export function ipText(ip: number): string {
  return `${ip >>> 24}.${(ip >>> 16) & 0xff}.${(ip >>> 8) & 0xff}.${ip & 0xff}`;
}

/** `host:port`, for people and for keys. */
export function addressText({ ip, port }: Address): string {
  return `${ipText(ip)}:${port}`;
}

/** One number for an address, for keys: cheaper to make than its text. */
export function addressKey({ ip, port }: Address): number {
  return ip * 0x1_0000 + port;
}

/** `0x0a000001` from `10.0.0.1`. */
export function ipNumber(text: string): number {
  return text.split('.').reduce((value, part) => (value << 8) | Number(part), 0) >>> 0;
}
