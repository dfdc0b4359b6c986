/**
 * A session of the meta file system, which sees what has no path any more: the trash. Opened on a connection of its own for one
 * piece of work and closed after it. It has no users: whoever may open one has power over everybody's deleted files.
 */
import type { Call, Packet } from '../protocol/message.ts';
import { registerCloseSession } from '../protocol/messages/session.ts';
import { Status } from '../protocol/status.ts';
import { Deadline } from '../transport/deadline.ts';
import { fsError, statusError, withSite } from './fs-errors.ts';
import { LostReplyError, MasterConnection } from './master-connection.ts';
import type { CallContext } from './nodes.ts';
import { md5 } from './options.ts';
import type { Volume } from './volume.ts';

/** How long the good-bye may take. */
const CLOSE_MS = 2000;

/** See above. */
export class MetaSession implements AsyncDisposable {
  readonly #connection: MasterConnection;

  private constructor(connection: MasterConnection) {
    this.#connection = connection;
  }

  /** Opens one at the master where the client's session is. Rejects with EACCES where no export allows it. */
  static async open({ settings, session }: Volume, { deadline, site }: CallContext): Promise<MetaSession> {
    const { info, passwordMd5 } = settings;
    const nothing = { push: () => undefined, lost: () => undefined };
    try {
      return new MetaSession(
        await MasterConnection.open(session.master, { root: '/', info, passwordMd5, meta: true, md5 }, nothing, {
          deadline: deadline.within(settings.connectTimeoutMs),
          firstMsgid: 1,
        }),
      );
    } catch (error) {
      throw withSite(error, site);
    }
  }

  /** Asks the master; `undefined` where it answers that there is no such file (any more). */
  async ask<Q extends object, R extends object>(
    message: Call<Q, R>,
    request: Q,
    context: CallContext,
  ): Promise<R | undefined> {
    const { status, value } = await this.#call(message, request, context);
    if (value !== undefined) return value;
    if (status === Status.ENOENT) return undefined;
    throw statusError(status, context.site, message.name, this.#connection.peer);
  }

  /** Asks the master; every status but OK rejects. */
  async call<Q extends object, R extends object>(message: Call<Q, R>, request: Q, context: CallContext): Promise<R> {
    const { status, value } = await this.#call(message, request, context);
    if (value !== undefined) return value;
    throw statusError(status, context.site, message.name, this.#connection.peer);
  }

  async #call<Q extends object, R extends object>(
    message: Call<Q, R>,
    request: Q,
    { deadline, site }: CallContext,
  ): Promise<{ status: number; value?: R }> {
    try {
      return await this.#connection.call(message, request, deadline);
    } catch (error) {
      if (!(error instanceof LostReplyError)) throw withSite(error, site);
      const isKnown = !error.sent || message.whenReplyLost === 'repeat';
      throw fsError('ECONNRESET', site, {
        cause: error,
        detail: isKnown ? error.message : `${error.message}: whether it was done is not known`,
        retryable: isKnown,
        peer: this.#connection.peer,
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { sessionId, metaId } = this.#connection.session;
    const goodbye: Packet<{ sessionId: number; metaId: bigint }> = registerCloseSession;
    await this.#connection.closeSession(goodbye, { sessionId, metaId }, Deadline.in(CLOSE_MS));
  }
}
