/**
 * npm run bench -- [--only NAME]... [--runs N] [--quick]
 *
 * The same work, in turns in the same run, on the same real cluster, through this package, libmfsio and mfsmount. See
 * docs/benchmarks/README.md.
 */
import { loadavg } from 'node:os';
import { libmfsioContender, mountContender, ourContender, type Contender } from './contenders.ts';
import { measureLimits } from './limits.ts';
import { partsWork } from './parts.ts';
import { describeMachine } from './machine.ts';
import type { Cluster } from '../test/support/cluster/cluster.ts';
import { readOptions, usage, type BenchOptions } from './options.ts';
import { Profiler, type SelfTime } from './profile.ts';
import { untilQuiet } from './quiet.ts';
import { printTable } from './table.ts';
import { lastReport, saveReport, withOtherRows, type Report, type Row } from './report.ts';
import { setTheStage, type Stage } from './stage.ts';
import { summarize, turns, type Sample } from './statistics.ts';
import { workloads, type Step, type Workload } from './workloads.ts';

const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);

/** Samples by the step's name, then by client. */
type Samples = Map<string, { step: Step; workload: Workload; by: Map<string, Sample[]> }>;

function sayProfile({ name }: Step, times: readonly SelfTime[]): void {
  if (name === undefined) return;
  say(`  profile of ${name}:`);
  for (const each of times.slice(0, 25))
    say(`    ${(each.share * 100).toFixed(1).padStart(5)} %  ${each.seconds.toFixed(3)} s  ${each.name}`);
}

async function contenders(cluster: Cluster, options: BenchOptions): Promise<Contender[]> {
  const profiler = options.profile ? { profiler: await Profiler.make(), told: sayProfile } : undefined;
  const found = [
    ourContender(cluster, { nodeOptions: options.nodeOptions, ...(profiler && { profiler }) }),
    await libmfsioContender(cluster, say),
    mountContender(cluster, say),
  ];
  return found
    .filter((each) => each !== undefined)
    .filter(({ name }) => options.clients.length === 0 || options.clients.includes(name));
}

/** One client's turn: all steps, in a folder of its own. */
async function turn(stage: Stage, workload: Workload, contender: Contender, samples: Samples): Promise<void> {
  const folder = await stage.fresh(workload.copies, `${workload.name}-${contender.name}`);
  try {
    for (const step of workload.steps) await measured(step, workload, contender, folder, samples);
  } catch (error) {
    // libmfsio dies of SIGPIPE now and then: that is its own affair. What it had done by then counts.
    if (contender.name === 'moosefs-client') throw error;
    const { signal, message } = error as { signal?: string; message: string };
    say(`  ${workload.name}: ${contender.name} failed, the rest of its turn is left out: ${signal ?? message}`);
  } finally {
    await stage.remove(folder);
  }
}

async function measured(
  step: Step,
  workload: Workload,
  contender: Contender,
  folder: string,
  samples: Samples,
): Promise<void> {
  if (contender.whyNot(step.op) !== undefined) return;
  // Where a server is stopped for the step, the rest comes before that: the master drops one after 10 s.
  if (step.name !== undefined && step.without === undefined) await untilQuiet(step, say);
  const sample = await contender.work(step, folder);
  if (step.name === undefined) return;
  const entry = samples.get(step.name) ?? { step, workload, by: new Map<string, Sample[]>() };
  samples.set(step.name, entry);
  entry.by.set(contender.name, [...(entry.by.get(contender.name) ?? []), sample]);
  const speed = summarize([sample], step.unit ?? 'ops/s').median;
  const memory = Math.round(sample.peakBytes / 2 ** 20);
  say(
    `  ${step.name}: ${contender.name} ${speed.toFixed(0)} ${step.unit ?? 'ops/s'}, ` +
      `CPU ${sample.cpuSeconds.toFixed(2)} s, ${memory} MiB`,
  );
}

/** Work on files that are made once, by this package; then every client's turn on them. */
async function sharedWork(
  stage: Stage,
  workload: Workload,
  clients: Contender[],
  runs: number,
  samples: Samples,
): Promise<void> {
  const folder = await stage.fresh(workload.copies, workload.name);
  const maker = ourContender(stage.cluster, { nodeOptions: [] });
  for (const step of workload.steps) if (step.name === undefined) await maker.work(step, folder);
  const steps = workload.steps.filter(({ name }) => name !== undefined);
  for (let run = 0; run < runs; run++)
    for (const contender of turns(clients, run))
      for (const step of steps) await measured(step, workload, contender, folder, samples);
  await stage.remove(folder);
}

/** Every client's turns at copies, on servers of their own: what ran before leaves them with more threads and fuller tables. */
async function copiesWork(workload: Workload, options: BenchOptions, samples: Samples): Promise<void> {
  await using stage = await setTheStage(say);
  if (stage.folder(workload.copies) === undefined) {
    say(`${workload.name} is left out: no storage class of ${workload.copies} copies`);
    return;
  }
  const clients = await contenders(stage.cluster, options);
  if (workload.shared) {
    await sharedWork(stage, workload, clients, options.runs, samples);
    return;
  }
  for (let run = 0; run < options.runs; run++)
    for (const contender of turns(clients, run)) await turn(stage, workload, contender, samples);
}

async function measureAll(version: string, chosen: Workload[], options: BenchOptions): Promise<Row[]> {
  const samples: Samples = new Map();
  for (const workload of chosen) {
    if (workload.dataParts !== undefined && version.startsWith('3.')) {
      say(`${workload.name} is left out: MooseFS ${version} has no erasure coding`);
      continue;
    }
    say(`${workload.name}, load ${loadavg()[0]!.toFixed(1)}`);
    if (workload.dataParts === undefined) await copiesWork(workload, options, samples);
    else {
      await partsWork(workload, {
        runs: options.runs,
        contenders: (cluster) => contenders(cluster, options),
        measured: (step, contender, folder) => measured(step, workload, contender, folder, samples),
        told: say,
      });
    }
  }
  return [...samples.values()].map(({ step, workload, by }) => ({
    name: step.name!,
    workload: workload.name,
    unit: step.unit ?? 'ops/s',
    ...(step.wanted !== undefined && { wanted: step.wanted }),
    clients: Object.fromEntries([...by].map(([name, list]) => [name, summarize(list, step.unit ?? 'ops/s')])),
  }));
}

/** On what is measured, and what that can do at best. */
async function describeTheStage(): Promise<Pick<Report, 'machine' | 'limits'>> {
  await using stage = await setTheStage(() => undefined);
  return { machine: await describeMachine(stage.cluster), limits: await measureLimits(stage.cluster) };
}

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  const all = workloads(options.scale);
  if (options.list) {
    for (const { name, steps } of all) {
      const named = steps.filter((step) => step.name !== undefined);
      process.stdout.write(`${name.padEnd(12)} ${named.map((step) => step.name).join('; ')}\n`);
    }
    return;
  }
  const chosen = all.filter(
    ({ name }) => options.only.length === 0 || options.only.some((wanted) => name.startsWith(wanted)),
  );
  if (chosen.length === 0) throw new RangeError(`no workload is called ${options.only.join(', ')}`);
  const { machine, limits } = await describeTheStage();
  say(`${machine.servers}, ${machine.cores} cores, node ${machine.node}, chunks on ${machine.disk}`);
  const rows = await measureAll(machine.servers, chosen, options);
  const report: Report = {
    date: new Date().toISOString(),
    machine,
    scale: options.scale,
    runs: options.runs,
    limits,
    rows,
    loadAfter: loadavg()[0]!,
  };
  // figures of little work are not compared with those of the whole
  const last = options.quick ? undefined : await lastReport(report);
  // a part that is run again replaces its own rows
  if (options.save) await saveReport(options.only.length === 0 ? report : withOtherRows(report, last));
  process.stdout.write(printTable(report, last));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  // of a program that failed it is a number
  const code = String((error as { code?: unknown }).code);
  if (error instanceof RangeError || code.startsWith('ERR_PARSE_ARGS')) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`);
    process.exitCode = 2;
  } else throw error;
}
