/** A progress bar on standard error: one line that is drawn over itself, and gone at the end. */
import type { Writable } from 'node:stream';
import { durationText, pad, safeText, sizeText, widthOf } from './text.ts';

/** What a terminal that does not tell its width is taken for. */
const DEFAULT_COLUMNS = 80;
/** The bar is drawn no more often than this. */
const DRAW_MS = 100;
/** The rate is that of the last so many seconds. */
const RATE_SECONDS = 5;
const BAR_COLUMNS = 24;

/** Where the bar is drawn. */
export interface ProgressStream extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** How far a task of several files is. */
export class Progress {
  readonly #stream: ProgressStream;
  readonly #enabled: boolean;
  readonly #now: () => number;
  #title = '';
  #total: number | undefined;
  #done = 0;
  #files = { done: 0, total: 0 };
  #drawnAt = -Infinity;
  #visible = false;
  #samples: { at: number; done: number }[] = [];

  /** `enabled` false: draws nothing, as where the stream is no terminal. */
  constructor(
    stream: ProgressStream,
    { enabled, now = () => performance.now() }: { enabled: boolean; now?: () => number },
  ) {
    this.#stream = stream;
    this.#enabled = enabled && stream.isTTY === true;
    this.#now = now;
  }

  /** Begins a task. `total`: bytes in all, undefined where nobody knows. */
  begin(title: string, { total, files = 1 }: { total: number | undefined; files?: number }): void {
    this.end();
    this.#title = title;
    this.#total = total;
    this.#done = 0;
    this.#files = { done: 0, total: files };
    this.#samples = [{ at: this.#now(), done: 0 }];
    this.#drawnAt = this.#now();
  }

  /** A second pass over a file begins, of so many bytes: for one file a bar of its own, for several the bar becomes longer. */
  secondPass(title: string, total: number): void {
    if (this.#files.total <= 1) this.begin(title, { total });
    else this.#total = (this.#total ?? 0) + total;
  }

  /** So many more bytes are done. */
  add(bytes: number): void {
    this.#done += bytes;
    if (this.#enabled && this.#now() - this.#drawnAt >= DRAW_MS) this.#draw();
  }

  /** One more file is done. */
  fileDone(): void {
    this.#files.done++;
  }

  /** Takes the bar away: for lines that are printed in between, and at the end. */
  clear(): void {
    if (!this.#visible) return;
    this.#stream.write('\r\u001b[K');
    this.#visible = false;
  }

  /** The task is over. */
  end(): void {
    this.clear();
    this.#drawnAt = Infinity;
  }

  #draw(): void {
    this.#drawnAt = this.#now();
    this.#visible = true;
    this.#stream.write(`\r${this.line(this.#stream.columns || DEFAULT_COLUMNS)}\u001b[K`);
  }

  /** The bar as text that fits into `columns`. */
  line(columns: number): string {
    const rate = this.#rate();
    const known = this.#total !== undefined && this.#total > 0;
    const part = known ? Math.min(1, this.#done / this.#total!) : 0;
    const filled = Math.round(part * BAR_COLUMNS);
    const left = known && rate > 0 ? Math.max(0, this.#total! - this.#done) / rate : undefined;
    const fields = [
      known ? `${String(Math.floor(part * 100)).padStart(3)}%` : '',
      known ? '█'.repeat(filled) + '░'.repeat(BAR_COLUMNS - filled) : '',
      known ? `${sizeText(this.#done)} of ${sizeText(this.#total!)}` : sizeText(this.#done),
      `${sizeText(rate)}/s`,
      left === undefined ? '' : `${durationText(left)} left`,
      this.#files.total > 1 ? `${this.#files.done} of ${this.#files.total} files` : '',
    ].filter((field) => field !== '');
    // What does not fit is left out from the end, and the title is cut: a line that wraps cannot be drawn over.
    while (fields.length > 1 && widthOf(fields.join('  ')) > columns - 2) fields.pop();
    const text = fields.join('  ');
    const room = columns - 3 - widthOf(text);
    return room < 8 ? text : `${cut(safeText(this.#title), Math.min(room, 30))}  ${text}`;
  }

  #rate(): number {
    const now = this.#now();
    this.#samples.push({ at: now, done: this.#done });
    while (this.#samples.length > 2 && now - this.#samples[0]!.at > RATE_SECONDS * 1000) this.#samples.shift();
    const [first] = this.#samples;
    const ms = now - first!.at;
    return ms <= 0 ? 0 : ((this.#done - first!.done) * 1000) / ms;
  }
}

function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return pad(text, width);
  // By code points: one that is a part of a picture is better cut than a line that wraps.
  let kept = text;
  while (widthOf(kept) > width - 1) kept = kept.slice(kept.codePointAt(0)! > 0xffff ? 2 : 1);
  return pad(`…${kept}`, width);
}
