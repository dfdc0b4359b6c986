/** What several fake servers saw and did, in one order, so that a test can say what had happened before what. */

/** What kind of thing happened. */
export type TimelineKind = 'connected' | 'received' | 'held' | 'sent' | 'closed';

/** One thing that happened at a fake server. */
export interface TimelineEntry {
  /** Counts up by one over all servers of the timeline. */
  readonly order: number;
  /** Milliseconds since the timeline was made. */
  readonly atMs: number;
  /** The server's name. */
  readonly server: string;
  /** Which connection of that server, counted from 1. */
  readonly connection: number;
  readonly kind: TimelineKind;
  /** The packet's name, such as `WRITE_STATUS`; empty where no packet is concerned. */
  readonly name: string;
  /** The packet's decoded fields, or undefined. */
  readonly value: Readonly<Record<string, unknown>> | undefined;
}

/** Which entries are meant: every given property must be equal; `value` is compared field by field. */
export type TimelineFilter = Partial<Omit<TimelineEntry, 'value'>> & {
  readonly value?: Readonly<Record<string, unknown>>;
};

/** An ordered record. Give one timeline to all fakes of a test to compare across servers. */
export class Timeline {
  readonly #entries: TimelineEntry[] = [];
  readonly #started = performance.now();
  readonly #watchers = new Set<() => void>();

  get entries(): readonly TimelineEntry[] {
    return this.#entries;
  }

  /** Adds an entry; for the fakes. */
  add(entry: Omit<TimelineEntry, 'order' | 'atMs'>): void {
    this.#entries.push({ order: this.#entries.length, atMs: performance.now() - this.#started, ...entry });
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** All entries that the filter means, in order. */
  all(filter: TimelineFilter): TimelineEntry[] {
    return this.#entries.filter((entry) => matches(entry, filter));
  }

  /** The first entry that the filter means. */
  first(filter: TimelineFilter): TimelineEntry | undefined {
    return this.#entries.find((entry) => matches(entry, filter));
  }

  /** How many entries the filter means. */
  count(filter: TimelineFilter): number {
    return this.all(filter).length;
  }

  /** Whether an entry of `earlier` stands before the first of `later`; false when either is missing. */
  before(earlier: TimelineFilter, later: TimelineFilter): boolean {
    const [a, b] = [this.first(earlier), this.first(later)];
    return a !== undefined && b !== undefined && a.order < b.order;
  }

  /** Resolves when `count` entries match the filter; rejects after `timeoutMs`, saying what did happen. */
  async until(filter: TimelineFilter, { count = 1, timeoutMs = 5000 } = {}): Promise<TimelineEntry> {
    const found = () => this.all(filter)[count - 1];
    if (found() === undefined) {
      await new Promise<void>((resolve, reject) => {
        const stop = () => {
          clearTimeout(timer);
          this.#watchers.delete(watcher);
        };
        const watcher = () => {
          if (found() === undefined) return;
          stop();
          resolve();
        };
        const timer = setTimeout(() => {
          stop();
          reject(new Error(`${describeFilter(filter)} did not happen ${count} times. What did:\n${this.text()}`));
        }, timeoutMs);
        this.#watchers.add(watcher);
      });
    }
    return found()!;
  }

  /** The last entries for people: one line each. */
  text(last = 40): string {
    return this.#entries
      .slice(-last)
      .map(
        (each) => `${each.order} ${each.server}#${each.connection} ${each.kind} ${each.name} ${showValue(each.value)}`,
      )
      .join('\n');
  }
}

function matches(entry: TimelineEntry, filter: TimelineFilter): boolean {
  const { value, ...plain } = filter;
  const same = (a: object, b: object) =>
    Object.entries(b).every(([key, wanted]) => (a as Record<string, unknown>)[key] === wanted);
  return same(entry, plain) && (value === undefined || (entry.value !== undefined && same(entry.value, value)));
}

const showValue = (value: object | undefined): string =>
  value === undefined
    ? ''
    : JSON.stringify(value, (_, each: unknown) => {
        if (typeof each === 'bigint') return `0x${each.toString(16)}`;
        if (each instanceof Uint8Array || (each as { type?: string } | null)?.type === 'Buffer') return '(bytes)';
        return each;
      });
const describeFilter = ({ value, ...plain }: TimelineFilter) => `${JSON.stringify(plain)} ${showValue(value)}`;
