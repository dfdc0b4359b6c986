/** The table of all commands, in the order of the help text. */
import type { Command } from './command.ts';
import { acl } from './commands/acl.ts';
import { archive } from './commands/archive.ts';
import { cat } from './commands/cat.ts';
import { chunks } from './commands/chunks.ts';
import { completion } from './commands/completion.ts';
import { cp } from './commands/cp.ts';
import { df } from './commands/df.ts';
import { du } from './commands/du.ts';
import { eattr } from './commands/eattr.ts';
import { check, concat, info, repair, wait } from './commands/file-state.ts';
import { find } from './commands/find.ts';
import { get } from './commands/get.ts';
import { goal } from './commands/goal.ts';
import { health } from './commands/health.ts';
import { ls } from './commands/ls.ts';
import { man } from './commands/man.ts';
import { mkdir } from './commands/mkdir.ts';
import { mv } from './commands/mv.ts';
import { put } from './commands/put.ts';
import { quota } from './commands/quota.ts';
import { rm } from './commands/rm.ts';
import { sclass } from './commands/sclass.ts';
import { rmsnapshot, snapshot } from './commands/snapshot.ts';
import { stat } from './commands/stat.ts';
import { status } from './commands/status.ts';
import { trash } from './commands/trash.ts';
import { tree } from './commands/tree.ts';
import { verify } from './commands/verify.ts';
import { xattr } from './commands/xattr.ts';

/** Parsing, help, completion and the manual page are made from this. */
export const commands: readonly Command[] = [
  ...[put, get, ls, stat, cat, mkdir, rm, mv, cp, df, chunks, verify, health, status, du, find, tree],
  ...[check, info, wait, snapshot, rmsnapshot, concat, repair],
  ...sclass,
  ...goal,
  ...trash,
  ...quota,
  ...eattr,
  ...archive,
  ...xattr,
  ...acl,
  ...completion(() => commands),
  man(() => commands),
];
