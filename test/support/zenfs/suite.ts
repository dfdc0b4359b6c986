/** Runs the file system tests that come in the npm package @zenfs/core, with one of their SETUP hooks. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const suiteFolder = fileURLToPath(new URL('./', import.meta.resolve('@zenfs/core/tests/setup.ts')));

/** The suite's files. Watching is no part of the SDK. */
export const suiteFiles: readonly string[] = readdirSync(join(suiteFolder, 'fs')).filter(
  (name) => name.endsWith('.test.ts') && name !== 'watch.test.ts',
);

/** How one test of the suite ended. */
export interface SuiteResult {
  /** `append.test.ts`. */
  readonly file: string;
  /** `Appends > Append a buffer to the file`. */
  readonly name: string;
  readonly status: 'pass' | 'fail' | 'skipped';
  readonly error: string | undefined;
}

/** The two hooks: node:fs in a local folder, which is the suite's own, and ours. */
export const setups = { node: join(suiteFolder, 'native-setup.ts'), moosefs: here('setup-moosefs.ts') } as const;

/** Runs all of it. */
export async function runSuite(setup: keyof typeof setups, env: Record<string, string> = {}): Promise<SuiteResult[]> {
  const files = suiteFiles.map((name) => join(suiteFolder, 'fs', name));
  const options = ['--import', 'tsx', '--import', here('newer-node.mjs'), '--test'];
  const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      [...options, `--test-reporter=${here('reporter.mjs')}`, ...files],
      { env: { ...plainEnvironment(), ...env, SETUP: setups[setup] }, maxBuffer: 64 * 1024 * 1024 },
      // It exits with 1 where a test has failed: the results say which.
      (_error, stdout, stderr) => resolve({ stdout, stderr }),
    );
  });
  const results = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Omit<SuiteResult, 'name'> & { path: string[]; suite: boolean })
    .filter(({ suite }) => !suite);
  if (results.length === 0) throw new Error(`the suite did not run:\n${stdout}\n${stderr}`);
  return results.map(({ file, path, status, error }) => ({
    file: basename(file),
    name: path.join(' > '),
    status,
    error,
  }));
}

/** What vitest tells its workers by the environment would make node:test think that it is one of its own. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_OPTIONS|NODE_TEST|NODE_ENV|TEST$)/.test(name)),
  );
}
