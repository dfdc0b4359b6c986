/** The cluster that a user starts by hand (docker/compose.yaml), and a client that reaches it by published ports only. */
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askMaster } from '../support/cluster/probe.ts';
import { ComposedCluster, hasCompose } from '../support/compose.ts';
import { sharedCluster } from '../support/live.ts';

const { provider, version } = sharedCluster();
const suite = process.env['MFS_TEST_SUITE'] ?? 'bookworm';

describe.skipIf(provider !== 'docker' || !hasCompose())('[docker] [compose] docker/compose.yaml', () => {
  let cluster: ComposedCluster;
  // the image may have to be built first
  beforeAll(async () => {
    cluster = await ComposedCluster.start(suite);
  }, 300_000);
  afterAll(() => cluster[Symbol.asyncDispose]());

  test('a client behind NAT reads, writes and verifies (examples/docker-nat.ts)', async () => {
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'examples/docker-nat.ts'], {
      cwd: root,
      env: { ...process.env, ...cluster.environment },
    });
    const ports = ['MFS_CS1_PORT', 'MFS_CS2_PORT', 'MFS_CS3_PORT'].map((name) => cluster.address(name).port);
    const dialled = [...stdout.matchAll(/^the master names (\S+):(\d+), dialled is (\S+):(\d+)$/gm)];
    expect(dialled.length).toBeGreaterThan(0);
    for (const [, named, namedPort, host, port] of dialled) {
      expect(named).not.toBe('127.0.0.1');
      expect([host, port]).toEqual(['127.0.0.1', namedPort]);
      expect(ports).toContain(Number(port));
    }
    expect(stdout).toContain(`MooseFS ${version}: 3000001 bytes, read back equal\n`);
    const digests = [...stdout.matchAll(/^replica on \S+: (\w{32})$/gm)].map(([, digest]) => digest);
    expect(digests.length).toBeGreaterThan(1);
    expect(new Set(digests).size).toBe(1);
  });

  test('the web monitor shows the master', async () => {
    const { host, port } = cluster.address('MFS_GUI_PORT');
    const page = async () => {
      // By hand: the heads that the pages of 3.x and trixie send are not such as node's parser takes.
      await using socket = connect(port, host);
      socket.write('GET /mfs.cgi?masterhost=mfsmaster HTTP/1.0\r\nHost: mfsmaster\r\n\r\n');
      return await text(socket);
    };
    await expect.poll(page, { timeout: 60_000, interval: 500 }).toContain(version);
  });

  test('the metalogger follows the master', async () => {
    const files = () => cluster.run('exec', '--no-TTY', 'metalogger', 'ls', '/var/lib/mfs');
    await expect.poll(files, { timeout: 60_000, interval: 500 }).toContain('changelog_ml.0.mfs');
  });

  test('more chunkservers come by --scale', async () => {
    await cluster.up('--scale', 'more=2');
    const connected = async () =>
      (await askMaster(cluster.address('MFS_PORT'))).chunkservers.filter((server) => server.connected).length;
    await expect.poll(connected, { timeout: 60_000 }).toBe(5);
  });
});
