/** Errors in the shape of node's: `ENOENT: no such file or directory, open '/a'`, with errno, code, syscall and path. */
import { getSystemErrorMap } from 'node:util';
import { MooseFSError, ProtocolError, StatusError } from '../errors.ts';
import { statusInfo } from '../protocol/status.ts';

/** What an error says about the call that failed. */
export interface CallSite {
  readonly syscall?: string | undefined;
  readonly path?: string | undefined;
  readonly dest?: string | undefined;
}

const byCode = new Map([...getSystemErrorMap()].map(([errno, [code, text]]) => [code, { errno, text }] as const));
// libuv has no number for these two, so they are not in node's table; Linux has.
byCode.set('EDQUOT', { errno: -122, text: 'disk quota exceeded' });
byCode.set('ENODATA', byCode.get('ENODATA') ?? { errno: -61, text: 'no data available' });

/** node's error for a code. `detail` is put behind node's own words. */
export function fsError(
  code: string,
  site: CallSite,
  { cause, detail, retryable, peer }: { cause?: unknown; detail?: string; retryable?: boolean; peer?: string } = {},
): MooseFSError {
  const known = byCode.get(code);
  const where = `${site.syscall === undefined ? '' : `, ${site.syscall}`}${site.path === undefined ? '' : ` '${site.path}'`}${site.dest === undefined ? '' : ` -> '${site.dest}'`}`;
  const words =
    known === undefined ? (detail ?? code) : detail === undefined ? known.text : `${known.text} (${detail})`;
  return new MooseFSError(`${code}: ${words}${where}`, {
    code,
    ...(known !== undefined && { errno: known.errno }),
    ...(site.syscall !== undefined && { syscall: site.syscall }),
    ...(site.path !== undefined && { path: site.path }),
    ...(site.dest !== undefined && { dest: site.dest }),
    ...(peer !== undefined && { peer }),
    ...(retryable !== undefined && { retryable }),
    ...(cause !== undefined && { cause }),
  });
}

/** node's error for a status of the wire; `cause` says what the wire said. */
export function statusError(status: number, site: CallSite, what: string, peer?: string): MooseFSError {
  const info = statusInfo(status);
  const cause = new StatusError(status, `${what}: status ${status} ${info.name}: ${info.text}`, { code: info.code });
  return fsError(info.code, site, { cause, retryable: info.retry !== 'never', ...(peer !== undefined && { peer }) });
}

/** Puts the call site on whatever came from below; errors that have one already, and foreign ones, stay as they are. */
export function withSite(error: unknown, site: CallSite): unknown {
  if (!(error instanceof MooseFSError) || error.name === 'AbortError' || error.syscall === site.syscall) return error;
  if (error.path !== undefined) return error;
  if (error instanceof StatusError) return fsError(error.code, site, { cause: error, detail: error.message });
  if (error instanceof ProtocolError) return fsError('EIO', site, { cause: error, detail: error.message });
  return fsError(error.code, site, {
    cause: error,
    detail: error.message,
    retryable: error.retryable,
    ...(error.peer !== undefined && { peer: error.peer }),
  });
}

/** The same error with the server that it came from, for those of a sans-IO machine, which knows no server. */
export function withPeer(error: unknown, peer: string): unknown {
  if (!(error instanceof MooseFSError) || error.peer !== undefined || error.message.includes(peer)) return error;
  const message = `${peer}: ${error.message}`;
  const details = { code: error.code, peer, retryable: error.retryable, cause: error };
  if (error instanceof ProtocolError) return new ProtocolError(message, details);
  if (error instanceof StatusError) return new StatusError(error.status, message, details);
  return error;
}
