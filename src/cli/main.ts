#!/usr/bin/env node
/** The program `mfs`: hands the process to run(), and its exit status to the process. */
import { run } from './run.ts';
import { ExitStatus } from './status.ts';

/** As shells count: 128 and the signal's number. */
const statusAfter = { SIGHUP: 129, SIGINT: ExitStatus.interrupted, SIGTERM: 143 };

async function main(): Promise<number> {
  const interrupt = new AbortController();
  let endedBy: keyof typeof statusAfter | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // Asked twice: at once, whatever is left behind.
      if (endedBy !== undefined) process.exit(statusAfter[signal]);
      endedBy = signal;
      interrupt.abort();
    });
  }
  const { stdin, stdout, stderr, env } = process;
  const status = await run(process.argv.slice(2), { stdin, stdout, stderr, env, interrupt: interrupt.signal });
  return endedBy === undefined ? status : statusAfter[endedBy];
}

// Nothing is to hold the process any more: not a pipe on standard input that nobody ends.
process.exit(await main());
