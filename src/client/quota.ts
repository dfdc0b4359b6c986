/** Quotas of folders (`mfs.quota`): how much may be in them, softly for a while and hard at once. */
import { MooseFSError } from '../errors.ts';
import * as messages from '../protocol/messages/quota.ts';
import { version } from '../protocol/version.ts';
import { atPath } from './admin-call.ts';
import { checkInteger } from './arguments.ts';
import { askMaster } from './ask-master.ts';
import { callChannel, traced } from './diagnostics.ts';
import type { SignalOption } from './file-handle.ts';
import type { CallContext } from './nodes.ts';
import type { PathLike } from './paths.ts';
import { requestDeadline } from './volume.ts';
import type { Volume } from './volume.ts';

/** What of a folder and everything in it is counted and limited. */
export interface QuotaAmounts {
  readonly inodes: number;
  /** Bytes of all files. */
  readonly length: number;
  /** Bytes of all chunks, blocks filled up. */
  readonly size: number;
  /** Bytes on all disks: size times copies. */
  readonly realSize: number;
}

/** Limits that are set; what is not there is not limited. */
export type QuotaLimits = Partial<QuotaAmounts>;

/** The quota of a folder. */
export interface Quota {
  /** May be exceeded for the grace period; then counts as hard. */
  readonly soft: QuotaLimits;
  /** Never exceeded: writes reject with EDQUOT. */
  readonly hard: QuotaLimits;
  readonly current: QuotaAmounts;
  /** For how long a soft limit may be exceeded. On 3.x 0 means the master's default. */
  readonly graceSeconds: number;
}

/** One of all quotas. */
export interface ListedQuota extends Quota {
  readonly inode: number;
  /** From the root of the whole file system. */
  readonly path: string;
  /** A soft limit is exceeded, and its grace period is over. */
  readonly exceeded: boolean;
  /** Seconds until a soft limit that is exceeded counts as hard; undefined where none is. */
  readonly blockedInSeconds: number | undefined;
}

/** Limits to set; `null` removes one, what is not there stays as it is. */
export type QuotaChanges = { readonly [K in keyof QuotaAmounts]?: number | null | undefined };

/** What {@link QuotaApi.set} takes. */
export interface QuotaInput {
  readonly soft?: QuotaChanges | undefined;
  readonly hard?: QuotaChanges | undefined;
  /** 1 to 4294967294. Default: as it is. */
  readonly graceSeconds?: number | undefined;
}

/**
 * Calls about quotas. Setting and removing are for root in a session whose export says `admin`; others reject with EPERM or EACCES.
 * Folders only: a file rejects with EPERM.
 *
 * @example
 * ```ts
 * await mfs.quota.set('/projects/elk', { soft: { length: 9e12 }, hard: { length: 1e13, inodes: 1_000_000 }, graceSeconds: 86_400 });
 * const { current, hard } = await mfs.quota.get('/projects/elk');
 * console.log(current.length, hard.length);
 * ```
 */
export interface QuotaApi {
  /**
   * The limits of a folder, and what is in it.
   *
   * @example
   * ```ts
   * const { current, hard } = await mfs.quota.get('/projects/elk');
   * console.log(current.length, hard.length);
   * ```
   */
  get(path: PathLike, options?: SignalOption): Promise<Quota>;
  /**
   * Sets limits and gives what the quota is then.
   *
   * @example
   * ```ts
   * await mfs.quota.set('/projects/elk', { hard: { length: 1e13 }, soft: { inodes: null }, graceSeconds: 86_400 });
   * ```
   */
  set(path: PathLike, changes: QuotaInput, options?: SignalOption): Promise<Quota>;
  /**
   * Removes all limits.
   *
   * @example
   * ```ts
   * await mfs.quota.remove('/projects/elk');
   * ```
   */
  remove(path: PathLike, options?: SignalOption): Promise<Quota>;
  /**
   * The quotas of the whole file system. Needs no privilege.
   *
   * @example
   * ```ts
   * for (const { path, exceeded } of await mfs.quota.list()) if (exceeded) console.log(path);
   * ```
   */
  list(options?: SignalOption): Promise<ListedQuota[]>;
}

const KEEP_SINCE = version('4.51.0');
const ALL = 0xff;
const NOT_PENDING = 0xffff_ffff;
const LONGEST_GRACE = 0xffff_fffe;
const KEYS = ['inodes', 'length', 'size', 'realSize'] as const;

/** Calls about quotas of one client. */
export function quotaApi(volume: Volume): QuotaApi {
  const at = <T>(
    method: string,
    path: PathLike,
    options: SignalOption,
    work: (inode: number, context: CallContext) => Promise<T>,
  ): Promise<T> => atPath(volume, `quota.${method}`, path, options, ({ inode }, context) => work(inode, context));
  const read = async (inode: number, flags: number, context: CallContext): Promise<Quota> =>
    quotaOf(await volume.session.call(messages.getQuota, { inode, flags }, context));
  return {
    get: (path, options = {}) => at('get', path, options, (inode, context) => read(inode, 0, context)),
    remove: (path, options = {}) => at('remove', path, options, (inode, context) => read(inode, ALL, context)),
    set: async (path, changes, options = {}) => {
      const [soft, hard] = [limitsOf('soft', changes.soft), limitsOf('hard', changes.hard)];
      const grace = graceOf(volume, changes.graceSeconds);
      return at('set', path, options, async (inode, context) => {
        const removed = soft.removed | (hard.removed << messages.QUOTA_HARD_SHIFT);
        const flags = soft.set | (hard.set << messages.QUOTA_HARD_SHIFT);
        // Removing first: what is set replaces, and a failure leaves less of a limit, not more.
        if (removed !== 0) await read(inode, removed, context);
        if (flags === 0 && changes.graceSeconds === undefined) return read(inode, 0, context);
        const request = { inode, flags, grace, ...named('soft', soft.values), ...named('hard', hard.values) };
        return quotaOf(
          await volume.session.call(
            messages.setQuota,
            request as Parameters<typeof messages.setQuota.request.encode>[0],
            context,
          ),
        );
      });
    },
    list: ({ signal } = {}) =>
      traced(
        callChannel,
        () => ({ method: 'quota.list', path: '/' }),
        async () => {
          const context = { site: { syscall: 'quota.list' }, deadline: requestDeadline(volume, signal) };
          const { quotas } = await askMaster(volume, messages.getQuotas, {}, messages.quotas, context);
          return quotas.map((each) => ({
            inode: each.inode,
            path: Buffer.from(each.path).toString(),
            ...quotaOf(each),
            exceeded: (each.exceeded & 1) !== 0,
            blockedInSeconds: each.timeToBlock === NOT_PENDING ? undefined : each.timeToBlock,
          }));
        },
      ),
  };
}

/** The grace period that keeps the one there was, by version. */
function graceOf({ session }: Volume, seconds: number | undefined): number {
  if (seconds !== undefined) return checkInteger(seconds, 'graceSeconds', 1, LONGEST_GRACE);
  return session.version >= KEEP_SINCE ? messages.GRACE_KEEP : 0;
}

interface Limits {
  readonly values: Readonly<Record<keyof QuotaAmounts, number>>;
  /** Bits of those that are to be set, and to be removed. */
  readonly set: number;
  readonly removed: number;
}

function limitsOf(which: string, changes: QuotaChanges = {}): Limits {
  const values = { inodes: 0, length: 0, size: 0, realSize: 0 };
  let [set, removed] = [0, 0];
  for (const key of KEYS) {
    const value = changes[key];
    if (value === undefined) continue;
    if (value === null) removed |= messages.QuotaFlag[key];
    else {
      values[key] = checkInteger(value, `${which}.${key}`, 0, key === 'inodes' ? 0xffff_ffff : undefined);
      set |= messages.QuotaFlag[key];
    }
  }
  return { values, set, removed };
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function named(which: 'soft' | 'hard', { inodes, length, size, realSize }: Limits['values']): object {
  const amounts = { inodes, length: BigInt(length), size: BigInt(size), realSize: BigInt(realSize) };
  return Object.fromEntries(Object.entries(amounts).map(([key, value]) => [`${which}${capital(key)}`, value]));
}

type WireAmounts = Readonly<Record<'inodes', number>> & Readonly<Record<'length' | 'size' | 'realSize', bigint>>;
interface WireQuota extends WireAmounts {
  readonly flags: number;
  readonly grace: number;
  readonly softInodes: number;
  readonly softLength: bigint;
  readonly softSize: bigint;
  readonly softRealSize: bigint;
  readonly hardInodes: number;
  readonly hardLength: bigint;
  readonly hardSize: bigint;
  readonly hardRealSize: bigint;
}

function quotaOf(wire: WireQuota): Quota {
  const { softInodes, softLength, softSize, softRealSize, hardInodes, hardLength, hardSize, hardRealSize } = wire;
  const soft = { inodes: softInodes, length: softLength, size: softSize, realSize: softRealSize };
  const hard = { inodes: hardInodes, length: hardLength, size: hardSize, realSize: hardRealSize };
  const set = (amounts: WireAmounts, flags: number): QuotaLimits =>
    Object.fromEntries(
      KEYS.filter((key) => (flags & messages.QuotaFlag[key]) !== 0).map((key) => [key, safeNumber(amounts[key])]),
    );
  return {
    soft: set(soft, wire.flags),
    hard: set(hard, wire.flags >>> messages.QUOTA_HARD_SHIFT),
    current: {
      inodes: wire.inodes,
      length: safeNumber(wire.length),
      size: safeNumber(wire.size),
      realSize: safeNumber(wire.realSize),
    },
    graceSeconds: wire.grace,
  };
}

function safeNumber(value: number | bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number))
    throw new MooseFSError(`a quota of ${value} is more than a number can hold exactly`, { code: 'EOVERFLOW' });
  return number;
}
