/**
 * Many requests at once on one connection to a master, told apart by msgid. Without a socket: requests become bytes, packets
 * become events.
 *
 *     event                               msgid is            result
 *     request                             free, 1 to 2^32-1   bytes; the msgid waits
 *     reply of the right type             waiting             reply; the msgid is free again
 *     reply of another type               waiting             ProtocolError
 *     abandon                             waiting             abandoned: kept until its late reply has come
 *     reply                               abandoned           late; the msgid is free again
 *     reply                               unknown             ProtocolError
 *     NOP                                                     nop
 *     push (702, 703, 706, 5)             0                   push
 *     lost                                                    every waiting request, in the order asked, and every abandoned one
 */
import { ProtocolError, StateError } from '../../errors.ts';
import { NOP } from '../frame.ts';
import { decodePacket, decodeReply, encodeRequest, readMsgid } from '../message.ts';
import type { Call, Reply } from '../message.ts';
import * as push from '../messages/push.ts';
import type { Version } from '../version.ts';

/** A request that waits for its reply. `token` is whatever the owner needs to find it again. */
export interface Waiting<T> {
  readonly msgid: number;
  readonly message: Call<object, object>;
  readonly token: T;
}

/** What a master sends unasked, decoded. */
export type Push = {
  [P in (typeof push.pushes)[number] as P['name']]: { readonly name: P['name'] } & DecodedOf<P>;
}[(typeof push.pushes)[number]['name']];
type DecodedOf<P> = P extends { body: { decode(...args: never[]): infer V } } ? V : never;

/** What a packet meant. `late` is `reply` of a request that nobody waits for any more. */
export type CallEvent<T> =
  | { readonly kind: 'reply' | 'late'; readonly waiting: Waiting<T>; readonly reply: Reply<object> }
  | { readonly kind: 'push'; readonly push: Push }
  | { readonly kind: 'nop' };

const pushOfType = new Map(push.pushes.map((each) => [each.type, each] as const));

/** The requests of one connection. */
export class Calls<T> {
  readonly #version: Version;
  readonly #waiting = new Map<number, Waiting<T>>();
  readonly #abandoned = new Map<number, Waiting<T>>();
  #lastMsgid: number;

  /** `firstMsgid`: on 3.x message ids must be unique in the session, not only on the connection; so go on counting. */
  constructor(version: Version, firstMsgid = 1) {
    this.#version = version;
    this.#lastMsgid = firstMsgid - 1;
  }

  /** How many requests wait for a reply. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Every request that waits for a reply, in the order in which they were asked. */
  unanswered(): Waiting<T>[] {
    return [...this.#waiting.values()];
  }

  /** The msgid that a next connection of the session should begin with. */
  get nextMsgid(): number {
    return this.#lastMsgid + 1;
  }

  /** Registers a request and gives the bytes to send. */
  request<Q extends object>(message: Call<Q, object>, value: Q, token: T): { msgid: number; bytes: Uint8Array } {
    if (message.gate?.includes(this.#version) === false) {
      throw new StateError(
        `${message.name} exists ${message.gate.text} only: an older master would drop the connection`,
      );
    }
    const msgid = this.#freeMsgid();
    const bytes = encodeRequest(message, msgid, value, this.#version);
    this.#waiting.set(msgid, { msgid, message: message, token });
    return { msgid, bytes };
  }

  /** Takes a packet. */
  receive(type: number, body: Uint8Array): CallEvent<T> {
    if (type === NOP) return { kind: 'nop' };
    const pushed = pushOfType.get(type);
    if (pushed !== undefined) {
      const value = decodePacket<object>(pushed, body, this.#version);
      return { kind: 'push', push: { name: pushed.name, ...value } as Push };
    }
    const msgid = readMsgid(body, `packet of type ${type}`);
    const waiting = this.#waiting.get(msgid) ?? this.#abandoned.get(msgid);
    if (waiting === undefined)
      throw new ProtocolError(`packet of type ${type} answers message ${msgid}, which nobody sent`);
    if (type !== waiting.message.type + 1) {
      throw new ProtocolError(
        `packet of type ${type} answers message ${msgid}, which is ${waiting.message.name} and wants ${waiting.message.type + 1}`,
      );
    }
    const reply = decodeReply(waiting.message, body, this.#version);
    if (this.#abandoned.delete(msgid)) return { kind: 'late', waiting, reply };
    this.#waiting.delete(msgid);
    return { kind: 'reply', waiting, reply };
  }

  /** Nobody waits for this reply any more. Its msgid is not used again before the late reply has come. */
  abandon(msgid: number): void {
    const waiting = this.#waiting.get(msgid);
    if (waiting === undefined) throw new StateError(`message ${msgid} does not wait`);
    this.#waiting.delete(msgid);
    this.#abandoned.set(msgid, waiting);
  }

  /** The connection is gone: gives back every waiting request, in the order in which they were asked, and the abandoned ones. */
  lost(): { readonly waiting: Waiting<T>[]; readonly abandoned: Waiting<T>[] } {
    const all = { waiting: this.unanswered(), abandoned: [...this.#abandoned.values()] };
    this.#waiting.clear();
    this.#abandoned.clear();
    return all;
  }

  #freeMsgid(): number {
    for (;;) {
      this.#lastMsgid = this.#lastMsgid >= 0xffff_ffff ? 1 : this.#lastMsgid + 1;
      if (!this.#waiting.has(this.#lastMsgid) && !this.#abandoned.has(this.#lastMsgid)) return this.#lastMsgid;
    }
  }
}
