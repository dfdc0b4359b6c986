#!/usr/bin/env node
/**
 * node scripts/launch.mjs [--build] [--no-install] COMMAND [ARGUMENT]...
 *
 * Runs COMMAND (a program of node_modules/.bin or PATH) with everything that it needs, from a fresh clone on: installs
 * the npm packages where they are missing or others than the lock file's, builds with --build where dist/ is older than
 * src/, sees where real MooseFS servers come from, and gives the run a network of its own where servers are to run as
 * programs of this machine. Everything that COMMAND leaves behind ends with it, also when this launcher is killed.
 * Needs nothing but Node.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chooseProvider, findProgram, installPackages, systemFolders } from './servers.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** The package's commands first; ip and iptables lie in folders that an ordinary user's PATH does not name. */
const searchPath = [join(root, 'node_modules/.bin'), process.env.PATH, ...systemFolders].join(delimiter);
const say = (line) => process.stderr.write(`launch: ${line}\n`);

/**
 * In here every 10.78.x.y is this machine's and nothing else is reached: a chunkserver refuses a master at 127.x.x.x.
 */
const enterNetwork = 'ip link set lo up && ip address add 10.78.0.1/16 dev lo || exit 125';
/**
 * The shell is process 1 in there: it takes in orphans, and does not die of the signals that are meant for the command.
 */
const runInside = `${enterNetwork}; trap : INT TERM HUP; "$@"; exit $?`;

/** The same packages as the lock file names? Judged by content: a checkout changes the files' times. */
function isInstalled() {
  const versions = (file) => Object.entries(JSON.parse(readFileSync(join(root, file), 'utf8')).packages);
  try {
    const installed = new Map(versions('node_modules/.package-lock.json'));
    return versions('package-lock.json').every(([path, entry]) => {
      const found = installed.get(path);
      return path === '' || (found ? found.version === entry.version : entry.optional === true);
    });
  } catch {
    return false;
  }
}

function isBuilt() {
  const newest = (folder) =>
    Math.max(0, ...readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, name)).mtimeMs));
  const built = join(root, 'dist/index.js');
  return existsSync(built) && statSync(built).mtimeMs >= newest(join(root, 'src'));
}

function npm(...args) {
  // what npm prints goes to standard error: standard output is the command's
  const { status, error } = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
}

function setUp({ install, build }) {
  if (install && !isInstalled()) {
    say('installing the npm packages (npm ci)');
    npm('ci', '--no-audit', '--no-fund', '--loglevel=error');
  }
  if (build && !isBuilt()) {
    say('building (npm run build)');
    npm('run', '--silent', 'build');
  }
}

/** The words in front of the command that give it a network of its own, or why there is none. */
function privateNetwork() {
  const addresses = networkInterfaces().lo ?? [];
  if (addresses.some(({ address }) => address === '10.78.0.1')) return { words: [] };
  if (process.env.MFS_TEST_NETWORK === 'own') return { reason: 'MFS_TEST_NETWORK=own' };
  for (const program of ['unshare', 'ip']) if (!findProgram(program)) return { reason: `no program ${program}` };
  const env = { ...process.env, PATH: searchPath };
  const user = process.getuid() === 0 ? [] : ['--user', '--map-current-user', '--keep-caps'];
  const words = ['unshare', ...user, '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c'];
  const { status, stderr } = spawnSync(words[0], [...words.slice(1), enterNetwork], { encoding: 'utf8', env });
  if (status !== 0) return { reason: stderr.trim().split('\n')[0] || `unshare ended with ${status}` };
  return { words: [...words, runInside, 'sh'] };
}

/** What goes in front of the command, and the settings it gets, so that it finds the servers decided for here. */
async function servers() {
  const provider = await chooseProvider();
  const env = { MFS_TEST_PROVIDER: provider };
  if (provider === 'external') say(`servers: the cluster at ${process.env.MFS_TEST_MASTER}`);
  if (provider === 'docker') say('servers: containers (Docker)');
  if (provider === 'external' || provider === 'docker') return { words: [], env };
  if (provider === 'packages') installPackages(say);
  const { words, reason } = privateNetwork();
  const where = words
    ? 'in a network of their own'
    : `at this machine's own address (no network of their own: ${reason})`;
  say(`servers: ${findProgram('mfsmaster')} and mfschunkserver, ${where}`);
  return { words: words ?? [], env };
}

/**
 * Runs the command in a process group of its own and gives its exit status; watched, so that nothing outlives this
 * process.
 */
async function run([program, ...args], env) {
  const folder = mkdtempSync(join(tmpdir(), 'moosefs-client-'));
  const watchdog = spawn('sh', [join(root, 'scripts/watchdog.sh'), folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise((resolve) => watchdog.on('exit', resolve));
  const child = spawn(program, args, { detached: true, stdio: 'inherit', env: { ...env, MFS_TEST_FOLDER: folder } });
  if (child.pid) watchdog.stdin.write(`+ -${child.pid}\n`);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      try {
        process.kill(-child.pid, signal);
      } catch {
        // it has ended meanwhile
      }
    });
  }
  const status = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  }).finally(async () => {
    watchdog.stdin.end();
    await ended;
  });
  return status;
}

async function main(args) {
  const options = { install: true, build: false };
  while (args[0]?.startsWith('--')) {
    const option = args.shift();
    if (option === '--build') options.build = true;
    else if (option === '--no-install') options.install = false;
    else throw new Error(`unknown option ${option}`);
  }
  if (args.length === 0)
    throw new Error('usage: node scripts/launch.mjs [--build] [--no-install] COMMAND [ARGUMENT]...');
  setUp(options);
  const { words, env } = await servers();
  return run([...words, ...args], { ...process.env, ...env, PATH: searchPath });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
