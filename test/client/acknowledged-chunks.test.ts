/** What was acknowledged of a file's chunks, held against what a master says that was lost in between. */
import { describe, expect, it } from 'vitest';
import { AcknowledgedChunks } from '../../src/client/acknowledged-chunks.ts';
import type { ChunkGrant } from '../../src/client/acknowledged-chunks.ts';
import type { Connected, Session } from '../../src/client/session.ts';
import { CHUNK_SIZE } from '../../src/protocol/geometry.ts';

const server = (last: number) => ({ ip: 0x0a000000 + last, port: 9422 }) as ChunkGrant['servers'][number];

/** A session whose connection can be lost. */
class Connecting {
  connected: Connected = { lostAt: undefined };
  readonly chunks = new AcknowledgedChunks(this as unknown as Session);

  lose(at = performance.now()): void {
    this.connected.lostAt = at;
    this.connected = { lostAt: undefined };
  }

  grant(version: number, servers: readonly number[], chunkId = 7n): ChunkGrant {
    const { connected } = this;
    return { chunkId, chunkVersion: version, length: 0, servers: servers.map(server), connected, serverChanges: 0 };
  }

  write(version: number, servers: readonly number[], end = 100): void {
    const grant = this.grant(version, servers);
    this.chunks.granted(0, grant);
    this.chunks.acknowledged(0, grant, end);
    this.chunks.committed(0);
  }
}

describe('chunks in doubt', () => {
  it('are those that were acknowledged shortly before the connection was lost', () => {
    const session = new Connecting();
    session.write(1, [1, 2, 3]);
    expect(session.chunks.inDoubt()).toEqual([]);
    session.connected.lostAt = performance.now();
    expect(session.chunks.inDoubt()).toEqual([{ index: 0, end: 100 }]);
    session.lose();
    expect(session.chunks.inDoubt()).toEqual([{ index: 0, end: 100 }]);
    session.write(2, [1, 2, 3], 50);
    expect(session.chunks.inDoubt()).toEqual([]);
    expect(session.chunks.endOf(0)).toBe(100);
  });

  it('are not those that the master has had time to write down', () => {
    const session = new Connecting();
    session.write(1, [1, 2, 3]);
    session.lose(performance.now() + 60_000);
    expect(session.chunks.inDoubt()).toEqual([]);
  });

  it('stay in doubt over a second loss', () => {
    const session = new Connecting();
    session.write(1, [1, 2, 3]);
    session.lose();
    session.lose(performance.now() + 60_000);
    expect(session.chunks.isInDoubt(0)).toBe(true);
  });

  it('are in doubt where the end was told to a master that is back, of a version that the lost one had granted', () => {
    const session = new Connecting();
    const grant = session.grant(1, [1, 2]);
    expect(session.chunks.inDoubt()).toEqual([]);
    session.lose();
    session.chunks.acknowledged(0, grant, 100);
    expect(session.chunks.inDoubt()).toHaveLength(1);
  });

  it('are expected up to where the file was cut, and not behind it', () => {
    const session = new Connecting();
    session.write(1, [1, 2, 3]);
    session.chunks.acknowledged(1, session.grant(1, [1, 2, 3], 8n), CHUNK_SIZE + 100);
    session.lose();
    session.chunks.cut(40);
    expect(session.chunks.inDoubt()).toEqual([{ index: 0, end: 40 }]);
  });
});

describe('a contradiction', () => {
  it.each([
    ['an older version', 4, [1, 2, 3], 7n, /is at version 4 now/],
    ['the same version on other servers', 5, [4], 7n, /version 5 of chunk 0, .* is on 10\.0\.0\.4:9422 now/],
    ['another chunk', 6, [1, 2, 3], 9n, /is another one now/],
  ])('is %s', (_, version, servers, chunkId, said) => {
    const session = new Connecting();
    session.write(5, [1, 2, 3]);
    session.lose();
    expect(session.chunks.contradiction(0, session.grant(version, servers, chunkId))).toMatch(said);
  });

  it.each([
    ['a newer version, on whatever servers', 6, [4]],
    ['the same version on some of its servers and another', 5, [3, 4]],
  ])('is not %s', (_, version, servers) => {
    const session = new Connecting();
    session.write(5, [1, 2, 3]);
    session.lose();
    expect(session.chunks.contradiction(0, session.grant(version, servers))).toBeUndefined();
  });

  it('is looked for only while there is doubt: without a loss a chunk may be another one', () => {
    const session = new Connecting();
    session.write(5, [1, 2, 3]);
    expect(session.chunks.contradiction(0, session.grant(1, [1, 2, 3], 9n))).toBeUndefined();
  });
});

it('holders are all servers that ever had the chunk', () => {
  const session = new Connecting();
  session.write(1, [1, 2, 3]);
  session.write(2, [1, 2]);
  session.write(3, [2, 4]);
  expect([...session.chunks.holders(0)].sort()).toEqual([1, 2, 3, 4].map((last) => `10.0.0.${last}:9422`));
  expect(session.chunks.replication).toEqual([{ chunk: 0, chunkId: 7n, servers: ['10.0.0.2:9422', '10.0.0.4:9422'] }]);
});
