/**
 * How a connection to a master becomes a session, without a socket: bytes in, bytes out.
 *
 *     state        event                      action                           next
 *     idle         start                      GET_VERSION                      probing
 *     probing      VERSION                    challenge, when a password       challenging
 *                                             else new session or reconnect,   registering
 *                                             or new meta session
 *     challenging  32 random bytes            new session with digest          registering
 *     registering  session, or meta session                                    registered
 *                  where one was asked for
 *     registering  reconnected, status 0                                       registered
 *     registering  reconnected, status EPERM  new session with the old id      challenging or registering
 *     registering  reconnected, other status  new session, fresh               challenging or registering
 *     registering  status                                                      refused
 *     registering  leader's address                                            redirected
 *     any          NOP                        ignored
 *     any          anything else              ProtocolError                    broken
 *
 * The version is asked first, because it decides what we announce: the lower of ours and theirs, so that one number governs
 * every layout of the connection in both directions.
 */
import { ProtocolError, StateError, StatusError } from '../../errors.ts';
import { NOP } from '../frame.ts';
import { decodePacket, encodePacket } from '../message.ts';
import * as session from '../messages/session.ts';
import { Status, statusInfo } from '../status.ts';
import { OURS, SUPPORTED_SERVERS, effective, formatVersion, fromWire } from '../version.ts';
import type { Version } from '../version.ts';

/** What a session is asked for. */
export interface RegistrationRequest {
  /** The exported folder to work in. */
  readonly root: string;
  /** What an administrator sees in the list of sessions. */
  readonly info: string;
  /** MD5 of the password, 16 bytes. */
  readonly passwordMd5?: Uint8Array | undefined;
  /** A session of the meta file system: it sees the trash instead of the tree. `root` and `resume` mean nothing then. */
  readonly meta?: boolean;
  /** A session to go on with. */
  readonly resume?: SessionIdentity | undefined;
  /** MD5 of some bytes: a pure function that this floor does not have by itself. */
  readonly md5: (data: Uint8Array) => Uint8Array;
}

/** What names a session. */
export interface SessionIdentity {
  readonly sessionId: number;
  /** Names the file system behind the master. */
  readonly metaId: bigint;
}

/** What the master granted. */
export interface SessionGrant extends SessionIdentity {
  /** The server's version. */
  readonly serverVersion: Version;
  /** The version that governs every layout on this connection. */
  readonly version: Version;
  /** Bits: 1 read-only, 2 dynamic IP, 4 ignore gid, 8 admin, 0x10 map all. Undefined after a reconnect, which does not tell. */
  readonly flags: number | undefined;
  /** The session's umask, which the master adds to every create. */
  readonly umask: number | undefined;
  /** Operations that the export forbids. */
  readonly disabled: number | undefined;
  /** Changes when the master restarts (since 4.40). */
  readonly processId: bigint | undefined;
  /** True: the old session goes on, with its open files and locks. */
  readonly resumed: boolean;
}

/** How a registration can end, or that it goes on. */
export type RegistrationStep =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  | { readonly kind: 'wait' }
  | { readonly kind: 'registered'; readonly session: SessionGrant }
  | { readonly kind: 'redirected'; readonly leader: number };

type State = 'idle' | 'probing' | 'challenging' | 'registering' | 'ended';

/** One attempt to register one connection. */
export class Registration {
  readonly #request: RegistrationRequest;
  #state: State = 'idle';
  #serverVersion: Version = 0;
  #version: Version = OURS;
  #reconnecting = false;
  /** Whether the old session's id still goes into a new-session request. */
  #takeOver = false;

  constructor(request: RegistrationRequest) {
    this.#request = request;
  }

  /** The first packet. */
  start(): Uint8Array {
    if (this.#state !== 'idle') throw new StateError('a registration starts once');
    this.#state = 'probing';
    return encodePacket(session.getVersion, {}, this.#version);
  }

  /** Takes a packet. Throws {@link StatusError} when the master refuses and {@link ProtocolError} when it makes no sense. */
  receive(type: number, body: Uint8Array): RegistrationStep {
    if (type === NOP && this.#state !== 'idle' && this.#state !== 'ended') return { kind: 'wait' };
    try {
      return this.#received(type, body);
    } catch (error) {
      this.#state = 'ended';
      throw error;
    }
  }

  #received(type: number, body: Uint8Array): RegistrationStep {
    switch (this.#state) {
      case 'probing':
        if (type === session.versionReply.type) return this.#probed(body);
        break;
      case 'challenging':
        if (type === session.REGISTER_REPLY) return this.#challenged(body);
        break;
      case 'registering':
        if (type === session.REGISTER_REPLY)
          return this.#reconnecting ? this.#reconnected(body) : this.#registered(body);
        break;
      case 'idle':
      case 'ended':
        break;
    }
    throw new ProtocolError(`packet of type ${type} while ${this.#state}: this is no MooseFS master`);
  }

  #probed(body: Uint8Array): RegistrationStep {
    const reply = decodePacket(session.versionReply, body, this.#version);
    this.#serverVersion = fromWire(reply.version);
    if (!SUPPORTED_SERVERS.includes(this.#serverVersion)) {
      throw new ProtocolError(
        `MooseFS ${formatVersion(this.#serverVersion)} is too old: this client works with servers ${SUPPORTED_SERVERS.text}`,
        { code: 'ENOTSUP' },
      );
    }
    this.#version = effective(OURS, this.#serverVersion);
    if (this.#request.resume === undefined || this.#request.meta === true) return this.#newSession();
    this.#reconnecting = true;
    this.#takeOver = true;
    return this.#send(
      'registering',
      encodePacket(session.registerReconnect, { ...this.#request.resume, version: this.#version }, this.#version),
    );
  }

  #newSession(): RegistrationStep {
    if (this.#request.passwordMd5 !== undefined) {
      return this.#send('challenging', encodePacket(session.registerGetRandom, {}, this.#version));
    }
    return this.#send('registering', this.#newSessionPacket(new Uint8Array(0)));
  }

  #newSessionPacket(digest: Uint8Array): Uint8Array {
    const text = (value: string) => Buffer.from(`${value}\0`);
    if (this.#request.meta === true) {
      const value = { version: this.#version, info: text(this.#request.info), sessionId: 0, metaId: 0n, digest };
      return encodePacket(session.registerNewMetaSession, value, this.#version);
    }
    const { sessionId, metaId } = (this.#takeOver ? this.#request.resume : undefined) ?? { sessionId: 0, metaId: 0n };
    return encodePacket(
      session.registerNewSession,
      {
        version: this.#version,
        info: text(this.#request.info),
        path: text(this.#request.root),
        sessionId,
        metaId,
        digest,
      },
      this.#version,
    );
  }

  #challenged(body: Uint8Array): RegistrationStep {
    if (body.length === 1) this.#refuse(body);
    const { random } = decodePacket(session.registerRandom, body, this.#version);
    return this.#send(
      'registering',
      this.#newSessionPacket(passwordDigest(random, this.#request.passwordMd5!, this.#request.md5)),
    );
  }

  #registered(body: Uint8Array): RegistrationStep {
    if (body.length === 1) this.#refuse(body);
    if (body.length === 4) return this.#redirected(body);
    if (this.#request.meta === true) return this.#metaRegistered(body);
    const reply = decodePacket(session.registerSession, body, this.#version);
    this.#state = 'ended';
    return {
      kind: 'registered',
      session: {
        sessionId: reply.sessionId,
        metaId: reply.metaId,
        serverVersion: this.#serverVersion,
        version: this.#version,
        flags: reply.flags,
        umask: reply.umask,
        disabled: reply.disabled,
        processId: reply.processId,
        resumed: this.#takeOver && reply.sessionId === this.#request.resume?.sessionId,
      },
    };
  }

  #metaRegistered(body: Uint8Array): RegistrationStep {
    const { sessionId, metaId, flags, processId } = decodePacket(session.registerMetaSession, body, this.#version);
    this.#state = 'ended';
    const versions = { serverVersion: this.#serverVersion, version: this.#version };
    const nothing = { umask: undefined, disabled: undefined, resumed: false };
    return { kind: 'registered', session: { sessionId, metaId, flags, processId, ...versions, ...nothing } };
  }

  #reconnected(body: Uint8Array): RegistrationStep {
    if (body.length === 4) return this.#redirected(body);
    const reply = decodePacket(session.registerReconnected, body, this.#version);
    if (reply.status === Status.OK) {
      this.#state = 'ended';
      return {
        kind: 'registered',
        session: {
          ...this.#request.resume!,
          serverVersion: this.#serverVersion,
          version: this.#version,
          flags: undefined,
          umask: undefined,
          disabled: undefined,
          processId: reply.processId,
          resumed: true,
        },
      };
    }
    // EPERM: the exports or our address changed; a new session may take the old one over. Otherwise the session is gone.
    this.#reconnecting = false;
    this.#takeOver = reply.status === Status.EPERM;
    return this.#newSession();
  }

  #redirected(body: Uint8Array): RegistrationStep {
    this.#state = 'ended';
    return { kind: 'redirected', leader: decodePacket(session.registerRedirect, body, this.#version).leader };
  }

  #refuse(body: Uint8Array): never {
    const { status } = decodePacket(session.registerStatus, body, this.#version);
    if (status === Status.OK) throw new ProtocolError('the master says OK to the registration and grants no session');
    const { code, text } = statusInfo(status);
    const hint: Record<number, string> = {
      [Status.EPERM]: `the master does not take clients of version ${formatVersion(this.#version)}`,
      [Status.ENOENT]: `the exported folder ${this.#request.root} does not exist`,
      [Status.EACCES]:
        this.#request.meta === true
          ? "no line of the master's exports allows the meta file system (path .) to this client's address"
          : `no line of the master's exports allows ${this.#request.root} to this client's address`,
      [Status.NOPASSWORD]: 'this export needs a password',
      [Status.BADPASSWORD]: 'wrong password',
    };
    throw new StatusError(status, `the master refused the session: ${hint[status] ?? text}`, { code });
  }

  #send(next: State, bytes: Uint8Array): RegistrationStep {
    this.#state = next;
    return { kind: 'send', bytes };
  }
}

/** MD5 of the first half of the challenge, the password's MD5 and the second half. */
export function passwordDigest(
  random: Uint8Array,
  passwordMd5: Uint8Array,
  md5: (data: Uint8Array) => Uint8Array,
): Uint8Array {
  return md5(Buffer.concat([random.subarray(0, 16), passwordMd5, random.subarray(16, 32)]));
}
