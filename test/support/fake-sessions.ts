/** The registration conversation of a fake master, from the master's side. */
import { createHash, randomBytes } from 'node:crypto';
import { ipNumber } from '../../src/protocol/address.ts';
import { decodePacket } from '../../src/protocol/message.ts';
import type { Packet } from '../../src/protocol/message.ts';
import * as messages from '../../src/protocol/messages/session.ts';
import { Status } from '../../src/protocol/status.ts';
import { effective, fromWire } from '../../src/protocol/version.ts';
import type { Version } from '../../src/protocol/version.ts';
import type { FakeConnection } from './fake-server.ts';

/** A session. It outlives its connections. */
export interface FakeSession {
  readonly sessionId: number;
  /** The version that governs the layouts: the lower of announced and own. */
  version: Version;
  /** What the client said at last that it holds open. */
  sustained: readonly number[];
}

/** Called with the sub-command of every registration packet; nothing: go on as a real master. */
export type RegisterHook = (rcode: number) => number | 'stall' | 'reset' | { readonly leader: string } | undefined;

/** What to answer; `closes`: a real master hangs up after it. */
export type RegisterAnswer = { readonly body: Buffer; readonly closes?: boolean } | 'stall' | 'reset' | 'violation';

const md5 = (...parts: Uint8Array[]) => createHash('md5').update(Buffer.concat(parts)).digest();
const encode = <V extends object>(message: Packet<V>, value: V, version: Version): RegisterAnswer => ({
  body: message.body.encode(value, version),
});

/** See the head of this file. */
export class FakeSessions {
  /** Names the file system. */
  readonly metaId = 0x6b00_845e_e7ff_6cd3n;
  /** Changes when a real master restarts; a test may change it. */
  processId = 0x6b00_845e_3ab6_1df6n;
  /** What new sessions are told. */
  flags = 0x08;
  /** See {@link RegisterHook}. */
  hook: RegisterHook | undefined;
  readonly #version: Version;
  readonly #password: string | undefined;
  readonly #sessions = new Map<number, FakeSession>();
  readonly #attached = new Map<FakeConnection, FakeSession>();
  readonly #challenges = new Map<FakeConnection, Buffer>();
  #lastId = 0;

  constructor(version: Version, password: string | undefined) {
    this.#version = version;
    this.#password = password;
  }

  /** All that exist. */
  get all(): readonly FakeSession[] {
    return [...this.#sessions.values()];
  }

  /** The session of a connection. */
  of(connection: FakeConnection): FakeSession | undefined {
    return this.#attached.get(connection);
  }

  /** A connection is gone; its session stays. */
  forget(connection: FakeConnection): void {
    this.#attached.delete(connection);
    this.#challenges.delete(connection);
  }

  /** As an administrator who removes a session, or a master that has forgotten it: reconnecting earns BADSESSIONID. */
  drop(sessionId: number): void {
    this.#sessions.delete(sessionId);
  }

  /** Takes the body of a REGISTER. */
  register(connection: FakeConnection, body: Buffer): RegisterAnswer {
    const rcode = body[messages.RCODE_OFFSET] ?? 0;
    const hooked = this.hook?.(rcode);
    if (hooked === 'stall' || hooked === 'reset') return hooked;
    if (typeof hooked === 'number') return this.#refuse(rcode, hooked);
    if (hooked !== undefined) {
      return encode(messages.registerRedirect, { leader: ipNumber(hooked.leader) }, this.#version);
    }
    if ((rcode === messages.Rcode.closeSession) !== this.#attached.has(connection)) return 'violation';
    switch (rcode) {
      case messages.Rcode.getRandom: {
        const random = randomBytes(32);
        this.#challenges.set(connection, random);
        return encode(messages.registerRandom, { random }, this.#version);
      }
      case messages.Rcode.newSession:
        return this.#newSession(connection, body);
      case messages.Rcode.reconnect:
        return this.#reconnect(connection, body);
      case messages.Rcode.newMetaSession:
        return this.#newMetaSession(connection, body);
      case messages.Rcode.closeSession: {
        const { sessionId } = decodePacket(messages.registerCloseSession, body, this.#version);
        const status = this.#sessions.delete(sessionId) ? Status.OK : Status.BADSESSIONID;
        return { body: Buffer.of(status), closes: true };
      }
      default:
        return 'violation';
    }
  }

  #newSession(connection: FakeConnection, body: Buffer): RegisterAnswer {
    const asked = decodePacket(messages.registerNewSession, body, this.#version);
    if (asked.path.at(-1) !== 0) return 'violation';
    const refused = this.#passwordStatus(connection, asked.digest);
    if (refused !== Status.OK) return this.#refuse(messages.Rcode.newSession, refused);
    const its = this.#attach(connection, asked.version, asked.metaId === this.metaId ? asked.sessionId : 0);
    return encode(
      messages.registerSession,
      {
        ...this.#identity(its),
        flags: this.flags,
        umask: 0,
        rootUid: 0,
        rootGid: 0,
        mapAllUid: 999,
        mapAllGid: 999,
        classGroups: 0xffff,
        minGoal: 1,
        maxGoal: 9,
        minTrashRetention: 0,
        maxTrashRetention: 0xffff_ffff,
        disabled: 0,
        processId: this.processId,
      },
      its.version,
    );
  }

  #newMetaSession(connection: FakeConnection, body: Buffer): RegisterAnswer {
    const asked = decodePacket(messages.registerNewMetaSession, body, this.#version);
    const its = this.#attach(connection, asked.version, 0);
    return encode(
      messages.registerMetaSession,
      {
        ...this.#identity(its),
        flags: 0,
        classGroups: 0xffff,
        minGoal: 1,
        maxGoal: 9,
        minTrashRetention: 0,
        maxTrashRetention: 0xffff_ffff,
        processId: this.processId,
      },
      its.version,
    );
  }

  #reconnect(connection: FakeConnection, body: Buffer): RegisterAnswer {
    const asked = decodePacket(messages.registerReconnect, body, this.#version);
    const its = asked.metaId === this.metaId ? this.#sessions.get(asked.sessionId) : undefined;
    const version = effective(fromWire(asked.version), this.#version);
    const status = its === undefined ? Status.BADSESSIONID : Status.OK;
    if (its !== undefined) {
      its.version = version;
      this.#attached.set(connection, its);
    }
    return encode(messages.registerReconnected, { version: this.#version, processId: this.processId, status }, version);
  }

  #identity({ sessionId }: FakeSession): { version: Version; sessionId: number; metaId: bigint } {
    return { version: this.#version, sessionId, metaId: this.metaId };
  }

  #attach(connection: FakeConnection, announced: number, wanted: number): FakeSession {
    const version = effective(fromWire(announced), this.#version);
    const its = this.#sessions.get(wanted) ?? { sessionId: ++this.#lastId, version, sustained: [] };
    its.version = version;
    this.#sessions.set(its.sessionId, its);
    this.#attached.set(connection, its);
    return its;
  }

  #passwordStatus(connection: FakeConnection, digest: Uint8Array): number {
    if (this.#password === undefined) return Status.OK;
    const random = this.#challenges.get(connection);
    if (random === undefined || digest.length !== 16) return Status.NOPASSWORD;
    const inner = md5(Buffer.from(this.#password));
    const wanted = md5(random.subarray(0, 16), inner, random.subarray(16));
    return wanted.equals(digest) ? Status.OK : Status.BADPASSWORD;
  }

  #refuse(rcode: number, status: number): RegisterAnswer {
    if (rcode !== messages.Rcode.reconnect) return { body: Buffer.of(status) };
    const value = { version: this.#version, processId: this.processId, status };
    return encode(messages.registerReconnected, value, this.#version);
  }
}
