/** The command line of the benchmarks. */
import { parseArgs } from 'node:util';
import { fullScale, quickScale, type Scale } from './workloads.ts';
import type { ContenderName } from './contenders.ts';

/** What is to be run. */
export interface BenchOptions {
  readonly scale: Scale;
  readonly quick: boolean;
  readonly runs: number;
  /** Names of workloads, or beginnings of names; empty: all. */
  readonly only: readonly string[];
  /** Clients; empty: all that are to be had. */
  readonly clients: readonly string[];
  /** Whether the results go to docs/benchmarks. */
  readonly save: boolean;
  readonly nodeOptions: readonly string[];
  /** Show where the time of this package's process goes, by node's CPU profiler, which costs some. */
  readonly profile: boolean;
  readonly list: boolean;
}

export const usage = `npm run bench -- [OPTION]...
  --only NAME      this workload or those whose names begin so; may be given again
  --client NAME    this client only (moosefs-client, libmfsio, mfsmount); may be given again
  --runs N         runs of each, default 5 (quick: 3)
  --quick          little work: to see that all of it runs, not to be quoted
  --save           write docs/benchmarks although this is not a whole run
  --node-option X  an option for this package's process, for example --node-option=--cpu-prof
  --profile        the functions of this package's process with the most time of their own, for each work
  --list           the names of the workloads`;

/** Reads the command line; throws on what it does not know. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      client: { type: 'string', multiple: true, default: [] },
      runs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      'node-option': { type: 'string', multiple: true, default: [] },
    },
  });
  const runs = Number(values.runs ?? (values.quick ? 3 : 5));
  if (!Number.isSafeInteger(runs) || runs < 1) throw new RangeError(`--runs ${values.runs}: not a number from 1`);
  const known: readonly ContenderName[] = ['moosefs-client', 'libmfsio', 'mfsmount'];
  const wrong = values.client.find((name) => !known.some((each) => each === name));
  if (wrong !== undefined) throw new RangeError(`--client ${wrong}: not one of ${known.join(', ')}`);
  const whole = !values.quick && !values.profile && values.only.length === 0 && values.client.length === 0;
  return {
    scale: values.quick ? quickScale : fullScale,
    quick: values.quick,
    runs,
    only: values.only,
    clients: values.client,
    save: whole || values.save,
    nodeOptions: values['node-option'],
    profile: values.profile,
    list: values.list,
  };
}
