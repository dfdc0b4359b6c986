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

/** Slots for requests that wait, at first: a power of two, as always. */
const FIRST_SLOTS = 64;

/** The requests of one connection. */
export class Calls<T> {
  readonly #version: Version;
  /**
   * By the low bits of the msgid. Not a `Map`, for the reason that src/transport/bag.ts gives: a sixth of all garbage of short calls
   * outlived them.
   */
  #slots = new Array<Waiting<T> | undefined>(FIRST_SLOTS).fill(undefined);
  #count = 0;
  readonly #abandoned = new Map<number, Waiting<T>>();
  #lastMsgid: number;

  /** `firstMsgid`: on 3.x message ids must be unique in the session, not only on the connection; so go on counting. */
  constructor(version: Version, firstMsgid = 1) {
    this.#version = version;
    this.#lastMsgid = firstMsgid - 1;
  }

  /** How many requests wait for a reply. */
  get waiting(): number {
    return this.#count;
  }

  /** Every request that waits for a reply, in the order in which they were asked. */
  unanswered(): Waiting<T>[] {
    const age = ({ msgid }: Waiting<T>): number => (this.#lastMsgid - msgid) >>> 0;
    return this.#slots.filter((each) => each !== undefined).sort((a, b) => age(b) - age(a));
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
    this.#slots[this.#slotOf(msgid)] = { msgid, message, token };
    this.#count++;
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
    const waiting = this.#find(msgid) ?? this.#abandoned.get(msgid);
    if (waiting === undefined)
      throw new ProtocolError(`packet of type ${type} answers message ${msgid}, which nobody sent`);
    if (type !== waiting.message.type + 1) {
      throw new ProtocolError(
        `packet of type ${type} answers message ${msgid}, which is ${waiting.message.name} and wants ${waiting.message.type + 1}`,
      );
    }
    const reply = decodeReply(waiting.message, body, this.#version);
    if (this.#abandoned.delete(msgid)) return { kind: 'late', waiting, reply };
    this.#remove(msgid);
    return { kind: 'reply', waiting, reply };
  }

  /** Nobody waits for this reply any more. Its msgid is not used again before the late reply has come. */
  abandon(msgid: number): void {
    const waiting = this.#find(msgid);
    if (waiting === undefined) throw new StateError(`message ${msgid} does not wait`);
    this.#remove(msgid);
    this.#abandoned.set(msgid, waiting);
  }

  /** The connection is gone: gives back every waiting request, in the order in which they were asked, and the abandoned ones. */
  lost(): { readonly waiting: Waiting<T>[]; readonly abandoned: Waiting<T>[] } {
    const all = { waiting: this.unanswered(), abandoned: [...this.#abandoned.values()] };
    this.#slots.fill(undefined);
    this.#count = 0;
    this.#abandoned.clear();
    return all;
  }

  #slotOf(msgid: number): number {
    return msgid & (this.#slots.length - 1);
  }

  #find(msgid: number): Waiting<T> | undefined {
    const found = this.#slots[this.#slotOf(msgid)];
    return found?.msgid === msgid ? found : undefined;
  }

  #remove(msgid: number): void {
    this.#slots[this.#slotOf(msgid)] = undefined;
    this.#count--;
  }

  /** The next msgid whose slot is free: half of them are, so that one request that waits for hours costs the others nothing. */
  #freeMsgid(): number {
    if (this.#count * 2 >= this.#slots.length) this.#grow();
    for (;;) {
      this.#lastMsgid = this.#lastMsgid >= 0xffff_ffff ? 1 : this.#lastMsgid + 1;
      const taken = this.#slots[this.#slotOf(this.#lastMsgid)] !== undefined;
      if (!taken && !this.#abandoned.has(this.#lastMsgid)) return this.#lastMsgid;
    }
  }

  /** What had a slot of its own has one among twice as many. */
  #grow(): void {
    const waiting = this.#slots;
    this.#slots = new Array<Waiting<T> | undefined>(2 * waiting.length).fill(undefined);
    for (const each of waiting) if (each !== undefined) this.#slots[this.#slotOf(each.msgid)] = each;
  }
}
