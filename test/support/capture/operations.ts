/** Captures what administrators ask: trash, quotas, extra attributes, classes, and the state of the cluster. */
import { ipText } from '../../../src/protocol/address.ts';
import { decodeReply, encodeRequest } from '../../../src/protocol/message.ts';
import type { Call } from '../../../src/protocol/message.ts';
import { decodePacket, encodePacket } from '../../../src/protocol/message.ts';
import * as admin from '../../../src/protocol/messages/admin.ts';
import * as inode from '../../../src/protocol/messages/inode.ts';
import * as lock from '../../../src/protocol/messages/lock.ts';
import * as monitor from '../../../src/protocol/messages/monitor.ts';
import * as names from '../../../src/protocol/messages/namespace.ts';
import * as placement from '../../../src/protocol/messages/placement.ts';
import * as quota from '../../../src/protocol/messages/quota.ts';
import * as m from '../../../src/protocol/messages/session.ts';
import * as trash from '../../../src/protocol/messages/trash.ts';
import { version } from '../../../src/protocol/version.ts';
import { RawConnection } from '../raw-connection.ts';
import type { Recorder } from './recorder.ts';
import { MasterConnection } from './session.ts';
import type { MasterSession, Target } from './session.ts';

const root = { uid: 0, gids: [0] };
const raw = (text: string) => Buffer.from(text, 'latin1');
const MISSING = 0x7fff_fff0;

/** Everything that administrators do, in a folder of its own that is removed. */
export async function captureOperations(s: MasterSession, target: Target): Promise<void> {
  const name = raw(`capture-operations-${process.pid}`);
  const folder = await s.must(names.mkdir, { parent: 1, name, mode: 0o755, umask: 0, ...root, copySgid: 0 });
  const make = (child: string) =>
    s.must(inode.create, { parent: folder.inode, name: raw(child), mode: 0o644, umask: 0, ...root });
  const file = await make('file');
  await captureTools(s, folder.inode, file.inode);
  await captureClassAdministration(s);
  await captureQuota(s, folder.inode, file.inode);
  await captureMonitor(s.recorder, target, { session: s, file: file.inode });
  await s.must(names.unlink, { parent: folder.inode, name: raw('file'), ...root });
  await captureTrash(s, target, folder.inode);
  await s.must(names.rmdir, { parent: 1, name, ...root });
}

async function captureTools(s: MasterSession, folder: number, file: number): Promise<void> {
  for (const setMode of [0, 5, 2, 6])
    await s.must(admin.setExtraAttributes, { inode: folder, uid: 0, bits: 3, setMode });
  await s.ask(admin.setExtraAttributes, { inode: folder, uid: 77, bits: 8, setMode: 0 });
  await s.must(admin.setExtraAttributes, { inode: file, uid: 0, bits: 8, setMode: 0 });
  for (const recursive of [0, 1]) await s.must(admin.getExtraAttributes, { inode: folder, recursive });
  await s.ask(admin.getExtraAttributes, { inode: MISSING, recursive: 0 });
  await s.must(admin.setExtraAttributes, { inode: folder, uid: 0, bits: 0, setMode: 4 });
  for (const each of [file, folder, MISSING]) {
    await s.ask(admin.checkFile, { inode: each });
    await s.ask(admin.checkFileClasses, { mode: admin.CHECK_CLASSES, inode: each });
    await s.ask(admin.directoryInfo, { inode: each });
    await s.ask(placement.archiveState, { inode: each, command: placement.ArchiveCommand.get });
    await s.ask(admin.repair, { inode: each, ...root, flags: 0 });
  }
  await s.must(inode.truncate, { inode: file, flags: 0, ...root, length: 200_000_000 });
  await s.must(admin.checkFile, { inode: file });
  await s.ask(admin.checkFileClasses, { mode: admin.CHECK_CLASSES, inode: file });
  await s.must(inode.truncate, { inode: file, flags: 0, ...root, length: 0 });
  for (const recursive of [0, 1]) await s.must(trash.getTrashRetention, { inode: folder, recursive });
  await s.must(trash.setTrashRetention, { inode: folder, uid: 0, seconds: 5000, setMode: 4 });
  await s.ask(trash.setTrashRetention, { inode: folder, uid: 77, seconds: 5000, setMode: 0 });
  await s.must(trash.getTrashRetention, { inode: folder, recursive: 1 });
}

async function captureClassAdministration(s: MasterSession): Promise<void> {
  const v4 = s.version >= version('4.0.0');
  const format = placement.classFormat(s.version);
  const any = Buffer.alloc(v4 ? 128 : 16);
  const onA = Buffer.from(any);
  if (v4) onA[0] = 0xc0;
  else onA[3] = 1;
  const labels = v4
    ? { create: [], keep: [any, onA], archive: [], trash: [] }
    : { create: [any, any], keep: [any, onA], archive: [any] };
  const nothing = { description: Buffer.alloc(0), priority: 0, exportGroup: 0, adminOnly: 0, labelsMode: 1 };
  const archive = {
    archiveMode: 1,
    archiveDelay: 24,
    archiveMinSize: 0,
    minTrashRetention: 0,
    archiveEc: 0,
    trashEc: 0,
  };
  const unique = { createUnique: 0, keepUnique: 0, archiveUnique: 0, trashUnique: 0 };
  const definition = { ...nothing, ...archive, labelsModes: Buffer.alloc(4, 0xff), ...unique, labels };
  const name = raw('capture-class');
  const other = raw('capture-other');
  await s.must(placement.createStorageClass, { name, format, ...definition });
  await s.ask(placement.createStorageClass, { name, format, ...definition });
  const change = { name, format, ...definition, labelsMode: 2 };
  await s.must(placement.changeStorageClass, { ...change, changeMask: placement.ClassChange.labelsMode });
  await s.must(placement.changeStorageClass, { ...change, changeMask: 0 });
  await s.ask(placement.changeStorageClass, { ...change, name: raw('nope'), changeMask: 0 });
  await s.must(placement.duplicateStorageClass, { name, newName: other });
  await s.must(placement.renameStorageClass, { name: other, newName: raw('capture-third') });
  await s.ask(placement.renameStorageClass, { name: other, newName: raw('capture-third') });
  await s.must(placement.deleteStorageClass, { name: raw('capture-third') });
  await s.must(placement.deleteStorageClass, { name });
  await s.ask(placement.deleteStorageClass, { name });
}

async function captureQuota(s: MasterSession, folder: number, file: number): Promise<void> {
  const none = { softInodes: 0, softLength: 0n, softSize: 0n, softRealSize: 0n };
  const limits = { ...none, softInodes: 100, hardInodes: 200, hardLength: 1n << 40n, hardSize: 0n, hardRealSize: 0n };
  await s.must(quota.getQuota, { inode: folder, flags: 0 });
  await s.must(quota.setQuota, { inode: folder, flags: 0x31, grace: 3600, ...limits });
  await s.ask(quota.setQuota, { inode: file, flags: 0x31, grace: 3600, ...limits });
  const connection = s.connection;
  await connection.exchange(quota.getQuotas, {}, quota.quotas);
  await s.must(quota.getQuota, { inode: folder, flags: 0 });
  await s.must(quota.getQuota, { inode: folder, flags: 0xff });
}

async function captureMonitor(
  recorder: Recorder,
  target: Target,
  { session, file }: { session: MasterSession; file: number },
): Promise<void> {
  await session.must(inode.open, { inode: file, ...root, flags: 1 });
  await session.must(lock.flock, { inode: file, requestId: 0, owner: 77n, command: lock.FlockCommand.tryExclusive });
  const connection = await MasterConnection.open(recorder, target);
  const mode = connection.version >= version('4.57.0') ? 5 : 4;
  await connection.exchange(monitor.getSessions, { mode }, monitor.sessions);
  await connection.exchange(monitor.getChunkMatrix, {}, monitor.chunkMatrix);
  await connection.exchange(monitor.getMemory, {}, monitor.memory);
  await connection.exchange(monitor.getOpenFiles, { sessionId: 0 }, monitor.openFiles);
  await connection.exchange(monitor.getLocks, { inode: 0 }, monitor.locks);
  await connection.exchange(monitor.getMissingChunks, { mode: 1 }, monitor.missingChunks);
  const { servers3, servers4 } = await connection.exchange(monitor.getChunkservers, {}, monitor.chunkservers);
  await connection.raw[Symbol.asyncDispose]();
  await session.must(lock.flock, { inode: file, requestId: 0, owner: 77n, command: lock.FlockCommand.unlock });
  const server = (servers4 ?? servers3)![0]!;
  const chunkserver = await RawConnection.open(ipText(server.ip), server.port);
  const request = encodePacket(monitor.getDisks, {}, connection.version);
  recorder.add(monitor.getDisks.name, 'body', 'chunkserver', request);
  chunkserver.send(request);
  const reply = await chunkserver.next(monitor.disks.type);
  recorder.addPacket(monitor.disks.name, 'body', 'chunkserver', reply);
  decodePacket(monitor.disks, reply.body, connection.version);
  await chunkserver[Symbol.asyncDispose]();
}

async function captureTrash(s: MasterSession, target: Target, folder: number): Promise<void> {
  const meta = await MetaSession.open(s.recorder, target);
  const deleted = async (name: string): Promise<number> => {
    const node = { parent: folder, name: raw(name), ...root };
    const file = await s.must(inode.create, { ...node, mode: 0o644, umask: 0 });
    // 4.x puts no empty file into the trash.
    await s.must(inode.truncate, { inode: file.inode, flags: 0, ...root, length: 100 });
    await s.must(trash.setTrashRetention, { inode: file.inode, uid: 0, seconds: 86_400, setMode: 0 });
    s.connection.tell(m.sustainedInodes, { inodes: [] });
    await s.must(names.unlink, node);
    return file.inode;
  };
  const first = await deleted('first');
  const second = await deleted('second');
  await s.ask(trash.listTrash, { bucket: trash.TRASH_BUCKETS });
  await meta.ask(trash.listTrash, { bucket: trash.TRASH_BUCKETS });
  await meta.ask(trash.listTrash, { bucket: first % trash.TRASH_BUCKETS });
  await meta.ask(trash.listSustained, {});
  for (const each of [first, MISSING]) {
    await meta.ask(trash.detachedAttributes, { inode: each, kind: trash.DetachedKind.trash });
    await meta.ask(trash.trashPath, { inode: each });
  }
  const path = Buffer.concat([raw(`capture-operations-${process.pid}/restored`), Buffer.of(0)]);
  await meta.ask(trash.setTrashPath, { inode: first, path });
  await meta.ask(trash.undelete, { inode: first });
  await meta.ask(trash.undelete, { inode: first });
  await meta.ask(trash.purge, { inode: second });
  await meta.ask(trash.purge, { inode: second });
  await meta.close();
  await s.must(trash.setTrashRetention, { inode: first, uid: 0, seconds: 0, setMode: 0 });
  await s.must(names.unlink, { parent: folder, name: raw('restored'), ...root });
}

/** A session of the meta file system. */
class MetaSession {
  readonly #connection: MasterConnection;
  readonly #identity: { readonly sessionId: number; readonly metaId: bigint };
  #lastMsgid = 0;

  private constructor(connection: MasterConnection, identity: { sessionId: number; metaId: bigint }) {
    this.#connection = connection;
    this.#identity = identity;
  }

  static async open(recorder: Recorder, target: Target): Promise<MetaSession> {
    const connection = await MasterConnection.open(recorder, target);
    const value = { version: connection.version, info: raw('capture\0'), sessionId: 0, metaId: 0n };
    const digest = Buffer.alloc(0);
    const identity = await connection.exchange(m.registerNewMetaSession, { ...value, digest }, m.registerMetaSession);
    return new MetaSession(connection, identity);
  }

  async ask<Q extends object, R extends object>(message: Call<Q, R>, value: Q): Promise<void> {
    const { raw: socket, recorder, version: at } = this.#connection;
    const request = encodeRequest(message, ++this.#lastMsgid, value, at);
    recorder.add(message.name, 'request', 'master', request);
    socket.send(request);
    const packet = await socket.next(message.type + 1);
    recorder.addPacket(message.name, packet.body.length === 5 ? 'status' : 'reply', 'master', packet);
    decodeReply(message, packet.body, at);
  }

  async close(): Promise<void> {
    await this.#connection.exchange(m.registerCloseSession, this.#identity, m.registerStatus);
    await this.#connection.raw.end();
  }
}
