/** Text for people: sizes, times, and names that may hold anything. */

/** Control characters, line separators, and characters that change the direction of text: a name may hold them to deceive. */
// eslint-disable-next-line no-control-regex -- they are what this is about
const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const shortEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Text that does nothing to a terminal and stays on one line: what could is shown as `\n` or `\u{1b}`. */
export function safeText(text: string): string {
  return text.replace(unsafe, (found) => shortEscapes[found] ?? `\\u{${found.charCodeAt(0).toString(16)}}`);
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** `0 B`, `999 B`, `1.5 MiB`, `120 GiB`: three digits at most. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** As `ls -h` and `df -h`: `999`, `1.5M`, `120G`. */
export function shortSizeText(bytes: number): string {
  const [value, unit] = sizeText(bytes).split(' ') as [string, string];
  return unit === 'B' ? value : `${value}${unit[0]}`;
}

/** `0:07`, `12:34`, `3:25:45`. */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** `1 file`, `2 files`. */
export const countText = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u;
const zero = /\p{Mn}|\p{Me}|\p{Cf}/u;

/** How many columns of a terminal a text takes; East Asian characters and pictures take two. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += zero.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return width;
}

/** Fills up with spaces to `width` columns. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const fill = ' '.repeat(Math.max(0, width - widthOf(text)));
  return align === 'left' ? text + fill : fill + text;
}
