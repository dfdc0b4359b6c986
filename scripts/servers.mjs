/**
 * Where real MooseFS servers come from on this machine: the one place that decides it, used by the launcher before
 * anything is installed (hence plain JavaScript without dependencies) and by test/support/cluster.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

export const providers = ['external', 'programs', 'docker', 'packages'];

const packages = ['moosefs-master', 'moosefs-chunkserver'];
/** What a private network and its faults need; small, and missing on slim images. */
const networkPackages = { ip: 'iproute2', iptables: 'iptables' };
/** Daemons live in folders that an ordinary user's PATH does not name. */
export const systemFolders = ['/usr/sbin', '/usr/local/sbin', '/sbin'];

/**
 * The path of a program of MooseFS (or of another, as iptables): in the folder $MFS_TEST_PROGRAMS where that is set and
 * has it, else in PATH and the system's own folders.
 */
export function findProgram(name, env = process.env) {
  const given = env.MFS_TEST_PROGRAMS;
  const folders = given && name.startsWith('mfs') ? [given] : [...(env.PATH ?? '').split(delimiter), ...systemFolders];
  return folders
    .filter(Boolean)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Does a Docker engine answer? */
export async function dockerAnswers(env = process.env) {
  for (const target of dockerTargets(env)) if (await ping(target)) return true;
  return false;
}

function dockerTargets(env) {
  const host = env.DOCKER_HOST;
  if (host?.startsWith('unix://')) return [{ socketPath: host.slice('unix://'.length) }];
  if (host) {
    const url = new URL(host.replace(/^tcp:/, 'http:'));
    return [{ host: url.hostname, port: url.port || '2375' }];
  }
  const sockets = ['/var/run/docker.sock', join(homedir(), '.docker/run/docker.sock')];
  if (env.XDG_RUNTIME_DIR) sockets.push(join(env.XDG_RUNTIME_DIR, 'docker.sock'));
  return sockets.filter((path) => existsSync(path)).map((socketPath) => ({ socketPath }));
}

function ping(target) {
  return new Promise((resolve) => {
    const asked = request({ ...target, path: '/_ping', timeout: 3000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.end();
  });
}

function programsHere(env) {
  return findProgram('mfsmaster', env) !== undefined && findProgram('mfschunkserver', env) !== undefined;
}

function canInstall(env) {
  return process.getuid?.() === 0 && findProgram('apt-get', { PATH: env.PATH }) !== undefined;
}

/** Which provider gives the servers; throws an Error that says what was looked for and what to do. */
export async function chooseProvider(env = process.env) {
  const forced = env.MFS_TEST_PROVIDER;
  if (forced) return checkForced(forced, env);
  if (env.MFS_TEST_MASTER) return 'external';
  if (programsHere(env)) return 'programs';
  if (env.MFS_TEST_PROGRAMS)
    throw new Error(`MFS_TEST_PROGRAMS: no mfsmaster and mfschunkserver in ${env.MFS_TEST_PROGRAMS}`);
  if (await dockerAnswers(env)) return 'docker';
  if (canInstall(env)) return 'packages';
  throw new Error(
    [
      'no MooseFS servers to test against. Looked for, in this order:',
      '  MFS_TEST_MASTER=host:port       a cluster that runs already: not set',
      '  mfsmaster and mfschunkserver    in PATH or /usr/sbin (or MFS_TEST_PROGRAMS=<folder>): not found',
      '  Docker                          no engine answers at $DOCKER_HOST or /var/run/docker.sock',
      '  apt-get as root                 to install moosefs-master and moosefs-chunkserver: not possible here',
      'Give one of these. The tests that need no server: npm run test:unit',
    ].join('\n'),
  );
}

async function checkForced(forced, env) {
  const possible = {
    external: () => Boolean(env.MFS_TEST_MASTER) || 'MFS_TEST_MASTER=host:port is not set',
    programs: () =>
      programsHere(env) || `mfsmaster and mfschunkserver are not in ${env.MFS_TEST_PROGRAMS ?? 'PATH or /usr/sbin'}`,
    docker: async () => (await dockerAnswers(env)) || 'no Docker engine answers',
    packages: () => programsHere(env) || canInstall(env) || 'needs root and apt-get',
  };
  const check = possible[forced];
  if (!check) throw new Error(`MFS_TEST_PROVIDER=${forced}: not one of ${providers.join(', ')}`);
  const answer = await check();
  if (answer !== true) throw new Error(`MFS_TEST_PROVIDER=${forced}: ${answer}`);
  return forced;
}

/**
 * Installs the distribution's server packages where they are missing, after saying so, without starting their services.
 */
export function installPackages(say, env = process.env) {
  const wanted = programsHere(env) ? [] : [...packages];
  for (const [program, name] of Object.entries(networkPackages)) if (!findProgram(program, env)) wanted.push(name);
  if (wanted.length === 0) return;
  say(`installing the packages ${wanted.join(' ')} (apt-get)`);
  withoutServices(() => {
    if (apt(['install', ...wanted])) return;
    if (!apt(['update']) || !apt(['install', ...wanted], 'inherit'))
      throw new Error(`apt-get install ${wanted.join(' ')} failed`);
  });
  if (existsSync('/run/systemd/system')) spawnSync('systemctl', ['disable', '--now', ...packages], { stdio: 'ignore' });
  if (!programsHere(env))
    throw new Error(`${packages.join(' and ')} are installed, but mfsmaster or mfschunkserver is not found`);
}

function apt(args, output = 'ignore') {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const all = ['-y', '-q', '-o', 'DPkg::Lock::Timeout=300', '--no-install-recommends', ...args];
  return spawnSync('apt-get', all, { env, stdio: ['ignore', output === 'ignore' ? 'ignore' : 2, output] }).status === 0;
}

/**
 * Debian starts what it installs unless this file answers 101; a master of ours on its ports would meet the package's.
 */
function withoutServices(action) {
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    action();
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}
