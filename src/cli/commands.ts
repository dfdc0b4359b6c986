/** The table of all commands, in the order of the help text. */
import type { Command } from './command.ts';
import { cat } from './commands/cat.ts';
import { chunks } from './commands/chunks.ts';
import { cp } from './commands/cp.ts';
import { df } from './commands/df.ts';
import { get } from './commands/get.ts';
import { health } from './commands/health.ts';
import { ls } from './commands/ls.ts';
import { mkdir } from './commands/mkdir.ts';
import { mv } from './commands/mv.ts';
import { put } from './commands/put.ts';
import { rm } from './commands/rm.ts';
import { stat } from './commands/stat.ts';
import { verify } from './commands/verify.ts';

/** Parsing, help, completion and the manual page are made from this. */
export const commands: readonly Command[] = [put, get, ls, stat, cat, mkdir, rm, mv, cp, df, chunks, verify, health];
