/** Where the time of this package's process goes: the functions with the most time of their own in node's CPU profiles. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** What of a .cpuprofile is used. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  /** The node that was running at each sample. */
  readonly samples?: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas?: readonly number[];
}

/** A function and its own time, without that of what it calls. */
export interface SelfTime {
  readonly name: string;
  readonly seconds: number;
  /** Of all time in which the process was not idle, 0 to 1. */
  readonly share: number;
}

/** Functions by their own time, the most first; idle time is left out. */
export function selfTimes({ nodes, samples = [], timeDeltas = [] }: CpuProfile): SelfTime[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const byName = new Map<string, number>();
  samples.forEach((id, i) => {
    const name = names.get(id) ?? '(unknown)';
    if (name !== '(idle)') byName.set(name, (byName.get(name) ?? 0) + timeDeltas[i]! / 1e6);
  });
  const busy = [...byName.values()].reduce((sum, seconds) => sum + seconds, 0);
  return [...byName]
    .map(([name, seconds]) => ({ name, seconds, share: seconds / busy }))
    .sort((a, b) => b.seconds - a.seconds);
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const file = url.startsWith('node:') ? url : basename(url);
  return `${name} ${file}:${lineNumber + 1}`;
}

/** Options of node that make it leave a profile in a folder, and what the profiles there say. */
export class Profiler {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(): Promise<Profiler> {
    return new Profiler(await mkdtemp(join(process.env['MFS_TEST_FOLDER'] ?? tmpdir(), 'moosefs-profiles-')));
  }

  get nodeOptions(): string[] {
    return ['--cpu-prof', `--cpu-prof-dir=${this.#folder}`];
  }

  /** The functions of the one profile that lies there, which is removed; undefined where there is none. */
  async take(): Promise<SelfTime[] | undefined> {
    const [name] = (await readdir(this.#folder)).filter((each) => each.endsWith('.cpuprofile'));
    if (name === undefined) return undefined;
    const path = join(this.#folder, name);
    const profile = JSON.parse(await readFile(path, 'utf8')) as CpuProfile;
    await rm(path);
    return selfTimes(profile);
  }
}
