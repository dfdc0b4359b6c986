/**
 * Every error class of this package. A leaf: all floors may import it, it imports nothing.
 *
 * - {@link MooseFSError}: what callers catch. Shaped as node's system errors are.
 * - {@link ProtocolError}: the peer broke the protocol (or is no MooseFS at all).
 * - {@link StatusError}: the peer answered with a status that is not OK.
 * - {@link ConnectionError}: the connection could not be made or was lost.
 * - {@link StateError}: our own misuse of a machine; a bug, never the peer's fault.
 */

/** What an error knows beside its message; all of it optional. */
export interface ErrorDetails {
  /** A node-style code such as `ENOENT`, `EIO`, `ETIMEDOUT`. */
  readonly code?: string;
  /** The negative errno that belongs to the code on this platform. */
  readonly errno?: number;
  /** What was attempted, in node's words: `open`, `read`, `write`, `connect` … */
  readonly syscall?: string;
  /** The path that the caller gave. */
  readonly path?: string;
  /** The second path, for calls that take two. */
  readonly dest?: string;
  /** `host:port` of the server that it was attempted with. */
  readonly peer?: string;
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable?: boolean;
  /** What the wire or the socket said. */
  readonly cause?: unknown;
}

/**
 * An operation failed. `code`, `errno`, `syscall`, `path` and `dest` are those of node:fs; `cause` holds what the wire
 * said; `peer` names the server; `retryable` says whether waiting may help.
 */
export class MooseFSError extends Error {
  declare readonly code: string;
  declare readonly errno: number | undefined;
  declare readonly syscall: string | undefined;
  declare readonly path: string | undefined;
  declare readonly dest: string | undefined;
  declare readonly peer: string | undefined;
  /** Whether the same call may succeed later without a change by the caller. */
  declare readonly retryable: boolean;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    // Only what is known becomes an own property: node's errors have no `path: undefined` either.
    for (const key of ['errno', 'code', 'syscall', 'path', 'dest', 'peer'] as const) {
      if (details[key] !== undefined) {
        Object.defineProperty(this, key, { value: details[key], enumerable: true, writable: true, configurable: true });
      }
    }
    Object.defineProperty(this, 'retryable', { value: details.retryable ?? false, writable: true, configurable: true });
  }

  static {
    this.prototype.name = 'Error';
  }
}

/** The peer sent what the protocol does not allow here. Nothing more can be believed of that connection. */
export class ProtocolError extends MooseFSError {
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, { code: 'EPROTO', ...details });
  }

  static {
    this.prototype.name = 'ProtocolError';
  }
}

/** A server answered with a MooseFS status other than OK. */
export class StatusError extends MooseFSError {
  /** The status byte as it stood on the wire. */
  readonly status: number;

  constructor(status: number, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.status = status;
  }

  static {
    this.prototype.name = 'StatusError';
  }
}

/** A connection could not be made, was lost, or stayed silent for too long. */
export class ConnectionError extends MooseFSError {
  static {
    this.prototype.name = 'ConnectionError';
  }
}

/** A machine was asked for something that its state does not allow: a bug on our side, never the peer's fault. */
export class StateError extends MooseFSError {
  constructor(message: string) {
    super(message, { code: 'ERR_INVALID_STATE' });
  }

  static {
    this.prototype.name = 'StateError';
  }
}

/** The caller's AbortSignal was aborted. Named and coded as node's own. */
export class AbortError extends MooseFSError {
  constructor(cause?: unknown) {
    super('The operation was aborted', cause === undefined ? { code: 'ABORT_ERR' } : { code: 'ABORT_ERR', cause });
  }

  static {
    this.prototype.name = 'AbortError';
  }
}
