/** What a storage class asks for, as users write and read it, and as a master of each version keeps it. */
import { MooseFSError } from '../errors.ts';
import { LABELS_LIMIT, classFormat } from '../protocol/messages/placement.ts';
import type { LabelRules, storageClassDefinition } from '../protocol/messages/placement.ts';
import { version } from '../protocol/version.ts';
import type { Version } from '../protocol/version.ts';
import { checkInteger, invalidType, invalidValue } from './arguments.ts';
import { decodeExpression, encodeExpression, splitCopies } from './label-expression.ts';

/** What happens where no server with the wanted labels can take a copy: `loose` takes any other, `strict` none. */
export type LabelsMode = 'loose' | 'standard' | 'strict';

/** How chunks are kept while they are in one state. */
export interface ClassState {
  /**
   * A label expression for each full copy, 1 to 9 of them: `*` any server, `A`, `A&B`, `A|B`, `!A`; of parts one or two. Empty
   * where the state is as `keep`.
   */
  readonly copies: readonly string[];
  /** `4+1` or `8+1` where chunks are kept as data and checksum parts instead of copies. */
  readonly erasureCoding: string | undefined;
  /** What no two copies may have in common: labels `A` to `Z`, `ip`, `rack`. */
  readonly distinct: readonly string[];
  /** Undefined: as the class as a whole. */
  readonly labelsMode: LabelsMode | undefined;
}

/** When chunks are archived. */
export type ArchiveRule = 'ctime' | 'mtime' | 'atime' | 'reversible' | 'fast' | 'perChunk';

/** What a storage class asks for. */
export interface StorageClassDefinition {
  readonly name: string;
  /** 4.57 and later. */
  readonly description: string | undefined;
  /** 4.57 and later: which class wins where a file is moved. */
  readonly priority: number | undefined;
  /** 4.57 and later: 0 to 15, the group that exports allow or not. */
  readonly exportGroup: number | undefined;
  /** Only sessions with `admin` in their export may give it to files. */
  readonly adminOnly: boolean;
  readonly labelsMode: LabelsMode;
  /** While a chunk is being written. */
  readonly create: ClassState;
  readonly keep: ClassState;
  /** When a file has not been used for `archiveDelayHours`. */
  readonly archive: ClassState;
  /** Of deleted files; undefined on 3.x. */
  readonly trash: ClassState | undefined;
  /** Whole days on 3.x. 0: never by itself. */
  readonly archiveDelayHours: number;
  /** Which times count, and how; undefined on 3.x, where it is ctime. */
  readonly archiveRules: readonly ArchiveRule[] | undefined;
  /** Bytes; shorter files are not archived. 4.34.2 and later. */
  readonly archiveMinSize: number | undefined;
  /** Shorter stays in the trash do not use the state `trash`. */
  readonly minTrashRetentionHours: number | undefined;
}

/**
 * How a state is given: a number of copies on any servers, expressions for each copy as the official tools take them (`2A,B|C`) or
 * as a list, or all of it.
 */
export type ClassStateInput = number | string | readonly string[] | Partial<ClassState>;

/** What is given of a class. On 3.x only names, `adminOnly`, `labelsMode`, states of copies and `archiveDelayHours` are known. */
export interface StorageClassInput {
  readonly description?: string | undefined;
  readonly priority?: number | undefined;
  readonly exportGroup?: number | undefined;
  readonly adminOnly?: boolean | undefined;
  readonly labelsMode?: LabelsMode | undefined;
  readonly create?: ClassStateInput | undefined;
  readonly keep?: ClassStateInput | undefined;
  readonly archive?: ClassStateInput | undefined;
  readonly trash?: ClassStateInput | undefined;
  readonly archiveDelayHours?: number | undefined;
  readonly archiveRules?: readonly ArchiveRule[] | undefined;
  readonly archiveMinSize?: number | undefined;
  readonly minTrashRetentionHours?: number | undefined;
}

/** The fields of a class as they lie on the wire. */
export type WireDefinition = Parameters<typeof storageClassDefinition.encode>[0];

const V4 = version('4.0.0');
const MODES: readonly LabelsMode[] = ['loose', 'standard', 'strict'];
const RULES: Readonly<Record<ArchiveRule, number>> = {
  ctime: 0x01,
  mtime: 0x02,
  atime: 0x04,
  reversible: 0x08,
  fast: 0x10,
  perChunk: 0x20,
};
/** A state's own mode of labels that says "as the class". */
const INHERIT = 0xff;
const IP_BIT = 26;
const RACK_BIT = 27;
const HOURS_OF_A_DAY = 24;
const STATES = ['create', 'keep', 'archive', 'trash'] as const;

/** Reads a definition off the wire of that version. */
export function fromWireDefinition(name: string, wire: WireDefinition, at: Version): StorageClassDefinition {
  const isOld = at < V4;
  const uniques = [wire.createUnique, wire.keepUnique, wire.archiveUnique, wire.trashUnique];
  const codes = [0, 0, wire.archiveEc, wire.trashEc];
  const labels: LabelRules = wire.labels!;
  const [create, keep, archive, trash] = STATES.map((state, i): ClassState => ({
    copies: (labels[state] ?? []).map(decodeExpression),
    erasureCoding: codingText(codes[i] ?? 0),
    distinct: distinctNames(uniques[i] ?? 0),
    labelsMode: MODES[wire.labelsModes?.[i] ?? INHERIT],
  })) as [ClassState, ClassState, ClassState, ClassState];
  return {
    name,
    description: wire.description === undefined ? undefined : Buffer.from(wire.description).toString(),
    priority: wire.priority,
    exportGroup: wire.exportGroup,
    adminOnly: wire.adminOnly !== 0,
    labelsMode: MODES[wire.labelsMode] ?? 'standard',
    create,
    keep,
    archive,
    trash: isOld ? undefined : trash,
    archiveDelayHours: wire.archiveDelay * (isOld ? HOURS_OF_A_DAY : 1),
    archiveRules: wire.archiveMode === undefined ? undefined : rulesOf(wire.archiveMode),
    archiveMinSize: wire.archiveMinSize,
    minTrashRetentionHours: wire.minTrashRetention,
  };
}

/** A definition for the wire of that version; what was not given is as a fresh master has it. */
export function toWireDefinition(given: StorageClassInput, at: Version): WireDefinition {
  const isOld = at < V4;
  refuseUnknown(given, at);
  const states = STATES.map((name) => stateOf(given[name], name));
  const [create, keep, archive, trash] = states as [ClassState, ClassState, ClassState, ClassState];
  const size = isOld ? 16 : 128;
  const encoded = (state: ClassState, name: string) => state.copies.map((each) => encodeExpression(each, size, name));
  const own = {
    create: encoded(create, 'create'),
    keep: encoded(keep, 'keep'),
    archive: encoded(archive, 'archive'),
    trash: encoded(trash, 'trash'),
  };
  const hours = checkInteger(given.archiveDelayHours ?? 0, 'archiveDelayHours', 0, isOld ? 65_535 * 24 : 65_535);
  return {
    description: Buffer.from(given.description ?? ''),
    priority: checkInteger(given.priority ?? 0, 'priority', 0, 0xffff_ffff),
    exportGroup: checkInteger(given.exportGroup ?? 0, 'exportGroup', 0, 15),
    adminOnly: given.adminOnly === true ? 1 : 0,
    labelsMode: modeCode(given.labelsMode ?? 'standard'),
    archiveMode: (given.archiveRules ?? ['ctime']).reduce((bits, rule) => bits | ruleBit(rule), 0),
    archiveDelay: isOld ? Math.ceil(hours / HOURS_OF_A_DAY) : hours,
    archiveMinSize: checkInteger(given.archiveMinSize ?? 0, 'archiveMinSize', 0),
    minTrashRetention: checkInteger(given.minTrashRetentionHours ?? 0, 'minTrashRetentionHours', 0, 65_535),
    archiveEc: codingCode(archive.erasureCoding),
    trashEc: codingCode(trash.erasureCoding),
    labelsModes: Buffer.from(
      states.map(({ labelsMode }) => (labelsMode === undefined ? INHERIT : modeCode(labelsMode))),
    ),
    createUnique: distinctMask(create.distinct),
    keepUnique: distinctMask(keep.distinct),
    archiveUnique: distinctMask(archive.distinct),
    trashUnique: distinctMask(trash.distinct),
    // 3.x has no way to say "as keep".
    labels: isOld
      ? {
          create: own.create.length > 0 ? own.create : own.keep,
          keep: own.keep,
          archive: own.archive.length > 0 ? own.archive : own.keep,
        }
      : own,
  };
}

/** A definition that says nothing, for a question. */
export const emptyWireDefinition = (at: Version): WireDefinition => ({
  ...toWireDefinition({}, at),
  description: Buffer.alloc(0),
});

/** What a version does not know is not left out in silence. */
function refuseUnknown(given: StorageClassInput, at: Version): void {
  const format = classFormat(at);
  const needs: readonly (readonly [keyof StorageClassInput, number])[] = [
    ['description', 6],
    ['priority', 6],
    ['exportGroup', 6],
    ['archiveMinSize', 4],
    ['archiveRules', 3],
    ['trash', 1],
    ['minTrashRetentionHours', 1],
  ];
  const unknown = needs.filter(([name, least]) => given[name] !== undefined && format < least).map(([name]) => name);
  for (const state of STATES) {
    const { erasureCoding, distinct = [], labelsMode } = stateFields(given[state]);
    if (format < 1 && (erasureCoding !== undefined || distinct.length > 0)) unknown.push(state);
    if (format < 5 && labelsMode !== undefined) unknown.push(state);
  }
  if (unknown.length > 0) {
    throw new MooseFSError(`this server knows no ${unknown.join(', ')} of storage classes`, { code: 'ENOTSUP' });
  }
}

const stateFields = (given: ClassStateInput | undefined): Partial<ClassState> =>
  typeof given === 'object' && !isList(given) ? given : {};
const isList = (given: object): given is readonly string[] => Array.isArray(given);

function stateOf(given: ClassStateInput | undefined, name: string): ClassState {
  const none: ClassState = { copies: [], erasureCoding: undefined, distinct: [], labelsMode: undefined };
  if (given === undefined) return none;
  const copies =
    typeof given === 'number'
      ? Array.from({ length: checkInteger(given, name, 1, LABELS_LIMIT) }, () => '*')
      : typeof given === 'string'
        ? splitCopies(given, name)
        : isList(given)
          ? given
          : (given.copies ?? []);
  if (copies.length > LABELS_LIMIT) throw invalidValue(name, copies, `must have at most ${LABELS_LIMIT} copies`);
  const fields = stateFields(given);
  if (fields.erasureCoding === undefined) return { ...none, ...fields, copies };
  if (name !== 'archive' && name !== 'trash')
    throw invalidValue(`${name}.erasureCoding`, fields.erasureCoding, 'is possible for archive and trash only');
  // Parts want an expression too, from 4.58 on: any server.
  return { ...none, ...fields, copies: copies.length > 0 ? copies : ['*'] };
}

function codingText(code: number): string | undefined {
  return code === 0 ? undefined : `${code >>> 4}+${code & 15}`;
}

function codingCode(text: string | undefined): number {
  if (text === undefined) return 0;
  const [, data, checksums] = /^(?:EC)?([48])\+([1-9])$/.exec(text) ?? [];
  if (data === undefined) throw invalidValue('erasureCoding', text, "must be '4+1' or '8+1'");
  return (Number(data) << 4) | Number(checksums);
}

function distinctNames(mask: number): string[] {
  const labels = Array.from({ length: IP_BIT }, (_, i) => i)
    .filter((i) => ((mask >>> i) & 1) === 1)
    .map((i) => String.fromCharCode(65 + i));
  return [
    ...labels,
    ...(((mask >>> IP_BIT) & 1) === 1 ? ['ip'] : []),
    ...(((mask >>> RACK_BIT) & 1) === 1 ? ['rack'] : []),
  ];
}

function distinctMask(names: readonly string[]): number {
  return names.reduce((mask, name) => {
    if (name === 'ip') return mask | (1 << IP_BIT);
    if (name === 'rack') return mask | (1 << RACK_BIT);
    if (!/^[A-Z]$/.test(name)) throw invalidValue('distinct', name, "must be a label, 'ip' or 'rack'");
    return mask | (1 << (name.charCodeAt(0) - 65));
  }, 0);
}

function modeCode(mode: LabelsMode): number {
  const code = MODES.indexOf(mode);
  if (code < 0) throw invalidValue('labelsMode', mode, `must be one of ${MODES.join(', ')}`);
  return code;
}

const rulesOf = (bits: number): ArchiveRule[] =>
  (Object.keys(RULES) as ArchiveRule[]).filter((rule) => (bits & RULES[rule]) !== 0);

function ruleBit(rule: ArchiveRule): number {
  const bit = (RULES as Readonly<Record<string, number | undefined>>)[rule];
  if (bit === undefined) throw invalidValue('archiveRules', rule, `must be of ${Object.keys(RULES).join(', ')}`);
  return bit;
}

/** A name of a class, as bytes. */
export function className(name: unknown, argument = 'name'): Buffer {
  if (typeof name !== 'string') throw invalidType(argument, 'of type string', name);
  const bytes = Buffer.from(name);
  if (bytes.length === 0 || bytes.length > 255) throw invalidValue(argument, name, 'must have 1 to 255 bytes');
  return bytes;
}
