/** Listing folders: in pages where the server can continue, in one piece where it cannot. */
import { ATTRIBUTES_SIZE, NodeType, readAttributes } from '../protocol/attributes.ts';
import type { Attributes } from '../protocol/attributes.ts';
import { ProtocolError } from '../errors.ts';
import { asBuffer } from '../protocol/layout.ts';
import * as messages from '../protocol/messages/namespace.ts';
import { fsError } from './fs-errors.ts';
import type { CallContext } from './nodes.ts';
import { findPath } from './paths.ts';
import type { PathLike } from './paths.ts';
import type { Volume } from './volume.ts';

/** Entries in one page, where the server can continue. */
const PAGE_ENTRIES = 2048;

/** An entry of a folder. */
export interface Entry {
  readonly name: Buffer;
  readonly inode: number;
  readonly type: NodeType;
  /** Only where asked for. */
  readonly attributes: Attributes | undefined;
}

/** The folder that a path leads to. */
export async function findFolder(volume: Volume, path: PathLike, context: CallContext): Promise<number> {
  const { inode, attributes } = await findPath(volume, path, { ...context, follow: true });
  if (attributes.type !== NodeType.directory) throw fsError('ENOTDIR', context.site);
  return inode;
}

/** The entries of a folder, page by page, without `.` and `..`. */
export async function* listFolder(
  volume: Volume,
  inode: number,
  withAttributes: boolean,
  context: () => CallContext,
): AsyncGenerator<Entry[], void> {
  const paging = messages.readdirPaging.includes(volume.session.version);
  const { uid, gids } = volume.settings;
  let startId = 0n;
  do {
    const reply = await volume.session.call(
      messages.readdir,
      {
        inode,
        uid,
        gids,
        flags: withAttributes ? messages.ReaddirFlag.attributes : 0,
        maxEntries: paging ? PAGE_ENTRIES : 0xffff_ffff,
        startId,
      },
      context(),
    );
    const page = readEntries(reply.entries, withAttributes);
    yield page.filter(({ name }) => !isSelfOrParent(name));
    startId = reply.nextId;
  } while (paging && startId !== messages.READDIR_END);
}

const isSelfOrParent = (name: Buffer) =>
  name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e));

/** Reads the entries of one reply, by hand: a folder may have a hundred thousand. */
export function readEntries(bytes: Uint8Array, withAttributes: boolean): Entry[] {
  const b = asBuffer(bytes);
  const entries: Entry[] = [];
  const fixed = 4 + (withAttributes ? ATTRIBUTES_SIZE : 1);
  for (let at = 0; at < b.length;) {
    const nameEnd = at + 1 + b[at]!;
    if (nameEnd + fixed > b.length)
      throw new ProtocolError(`a listing ends in the middle of an entry, ${b.length - at} bytes before its end`);
    const name = b.subarray(at + 1, nameEnd);
    const inode = b.readUInt32BE(nameEnd);
    const attributes = withAttributes ? readAttributes(b, nameEnd + 4) : undefined;
    entries.push({ name, inode, type: attributes?.type ?? (b[nameEnd + 4] as NodeType), attributes });
    at = nameEnd + fixed;
  }
  return entries;
}
