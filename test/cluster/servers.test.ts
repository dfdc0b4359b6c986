/** Deciding where servers come from, and the watchdog that ends them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chooseProvider, findProgram } from '../../scripts/servers.mjs';
import { externalCluster } from '../support/cluster/external.ts';
import { Watchdog } from '../support/cluster/watchdog.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'moosefs-servers-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function programs(...names: string[]): string {
  for (const name of names) {
    writeFileSync(join(folder, name), '#!/bin/sh\n');
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

describe('findProgram', () => {
  test('takes programs of MooseFS from the given folder and from nowhere else', () => {
    const given = programs('mfsmaster');
    expect(findProgram('mfsmaster', { MFS_TEST_PROGRAMS: given, PATH: '/nowhere' })).toBe(join(given, 'mfsmaster'));
    expect(findProgram('mfsmount', { MFS_TEST_PROGRAMS: given, PATH: '/nowhere' })).toBeUndefined();
  });

  test('takes others from PATH, and no folder for a program', () => {
    mkdirSync(join(folder, 'mfsmount'));
    expect(findProgram('tool', { PATH: `/nowhere:${programs('tool')}` })).toBe(join(folder, 'tool'));
    expect(findProgram('mfsmount', { MFS_TEST_PROGRAMS: folder })).toBeUndefined();
  });
});

describe('chooseProvider', () => {
  const noDocker = { DOCKER_HOST: 'tcp://127.0.0.1:9', PATH: '/nowhere' };

  test('an external cluster comes first, then programs', async () => {
    const given = programs('mfsmaster', 'mfschunkserver');
    expect(await chooseProvider({ MFS_TEST_MASTER: 'a:1', MFS_TEST_PROGRAMS: given })).toBe('external');
    expect(await chooseProvider({ MFS_TEST_PROGRAMS: given })).toBe('programs');
  });

  test('a folder without the programs is refused, not passed over', async () => {
    await expect(chooseProvider({ ...noDocker, MFS_TEST_PROGRAMS: programs('mfsmaster') })).rejects.toThrow(folder);
  });

  test('one can be forced, and must then be possible', async () => {
    await expect(chooseProvider({ ...noDocker, MFS_TEST_PROVIDER: 'docker' })).rejects.toThrow(
      'no Docker engine answers',
    );
    await expect(chooseProvider({ MFS_TEST_PROVIDER: 'external' })).rejects.toThrow('MFS_TEST_MASTER');
    await expect(chooseProvider({ MFS_TEST_PROVIDER: 'cloud' })).rejects.toThrow('not one of external');
    const given = { MFS_TEST_PROVIDER: 'programs', MFS_TEST_MASTER: 'a:1', MFS_TEST_PROGRAMS: folder };
    await expect(chooseProvider(given)).rejects.toThrow(`not in ${folder}`);
    programs('mfsmaster', 'mfschunkserver');
    expect(await chooseProvider(given)).toBe('programs');
  });

  test('a Docker engine is one that answers', async () => {
    const engine = createServer((_request, response) => response.end('OK')).listen(0, '127.0.0.1');
    await once(engine, 'listening');
    const { port } = engine.address() as { port: number };
    const env = { DOCKER_HOST: `tcp://127.0.0.1:${port}`, PATH: '/nowhere', MFS_TEST_PROVIDER: 'docker' };
    expect(await chooseProvider(env)).toBe('docker');
    engine.close();
  });
});

describe('Watchdog', () => {
  test('ends what it watches, spares what it was told to forget, and removes the folder', async () => {
    const inside = join(folder, 'cluster');
    mkdirSync(inside);
    const mark = join(folder, 'mark');
    const watchdog = new Watchdog(inside, ['touch', mark]);
    const [watched, forgotten] = [spawn('sleep', ['60']), spawn('sleep', ['60'])];
    watchdog.watch(watched.pid!);
    watchdog.watch(forgotten.pid!);
    watchdog.forget(forgotten.pid!);
    const exit = once(watched, 'exit');
    await watchdog.end();
    expect(await exit).toEqual([null, 'SIGKILL']);
    expect(forgotten.exitCode ?? forgotten.signalCode).toBeNull();
    forgotten.kill();
    expect([existsSync(inside), existsSync(mark)]).toEqual([false, true]);
  });

  test('ends a whole process group', async () => {
    const watchdog = new Watchdog(join(folder, 'none'));
    const group = spawn('sh', ['-c', 'sleep 60 & wait'], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    await once(group, 'spawn');
    watchdog.watch(-group.pid!);
    // the pipe ends only when the last process of the group that holds it has ended
    const silent = once(group.stdout, 'end');
    group.stdout.resume();
    await watchdog.end();
    await silent;
  });
});

test('an external cluster must be named properly', async () => {
  await expect(externalCluster({ MFS_TEST_MASTER: 'no port:x' })).rejects.toThrow('not host:port');
});
