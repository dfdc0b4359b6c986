/** Exit statuses, and errors as one line of text. */
import { MooseFSError } from '../index.ts';
import { safeText } from './text.ts';

/** How the command ends. */
export const ExitStatus = {
  done: 0,
  /** The operation, or a part of it, failed. */
  failed: 1,
  /** The command line makes no sense; nothing was done. */
  usage: 2,
  /** A verification found a difference. */
  differs: 3,
  /** Ended by SIGINT, as shells count: 128 + 2. */
  interrupted: 130,
} as const;

/** The command line makes no sense: exit status 2. */
export class UsageError extends Error {
  /** The command that it was to be, where that much was clear. */
  readonly command: string | undefined;

  constructor(message: string, command?: string) {
    super(message);
    this.command = command;
  }
}

/** An error as the rest of a line: `ENOENT: no such file or directory`, without the path, which stands before it. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return safeText(String(error));
  const { code, syscall, path, dest } = error as NodeJS.ErrnoException & { dest?: string };
  let text = error.message;
  // node's form ends in what was attempted on what; the line has said so already.
  const tail = `${syscall === undefined ? '' : `, ${syscall}`}${path === undefined ? '' : ` '${path}'`}${dest === undefined ? '' : ` -> '${dest}'`}`;
  if (tail !== '' && text.endsWith(tail)) text = text.slice(0, -tail.length);
  const isPlain = code === undefined || text.startsWith(code) || code.startsWith('ERR_') || code === 'ABORT_ERR';
  return safeText(isPlain ? text : `${code}: ${text}`);
}

/** Whether an error says that the caller's own AbortSignal ended it. */
export const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

/** An error in node's form, for things that are found out here. */
export function failure(code: string, text: string): MooseFSError {
  return new MooseFSError(`${code}: ${text}`, { code });
}
