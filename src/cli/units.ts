/** Sizes and times as users type them: `10G`, `1.5TiB`, `7d`, `90m`. */
import { UsageError } from './status.ts';

const BINARY = 'BKMGTPE';
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Bytes. `K`, `M`, `G`, `T`, `P` and `KiB` … are powers of 1024, `KB` … of 1000. */
export function parseSize(text: string): number {
  const [, number, unit = '', base = ''] = /^(\d+(?:\.\d+)?)\s*([BKMGTPE]?)(i?B)?$/i.exec(text) ?? [];
  const exponent = BINARY.indexOf(unit === '' ? 'B' : unit.toUpperCase());
  const size = Math.round(Number(number) * (base.toLowerCase() === 'b' && exponent > 0 ? 1000 : 1024) ** exponent);
  if (number === undefined || !Number.isSafeInteger(size))
    throw new UsageError(`a size is a number with K, M, G, T or P, not "${text}"`);
  return size;
}

/** Seconds. */
export function parseSeconds(text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)\s*([smhdw]?)$/.exec(text) ?? [];
  if (number === undefined) throw new UsageError(`a time is a number with s, m, h, d or w, not "${text}"`);
  return Math.round(Number(number) * SECONDS[unit === '' ? 's' : unit]!);
}

/** `7d`, `1d 12h`, `90s`: all of it, in units that people count in. */
export function secondsText(seconds: number): string {
  if (seconds === 0) return '0s';
  let rest = seconds;
  const parts: string[] = [];
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const count = Math.floor(rest / SECONDS[unit]!);
    rest -= count * SECONDS[unit]!;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.join(' ');
}
