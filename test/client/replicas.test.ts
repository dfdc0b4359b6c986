/** The order in which replicas are read: what failed lately, labels, this machine, own load, and the master's word. */
import { describe, expect, it } from 'vitest';
import { ipNumber } from '../../src/protocol/address.ts';
import { Replicas } from '../../src/client/replicas.ts';
import { resolveSettings } from '../../src/client/options.ts';

const server = (last: number, labels = 0) => ({ ip: ipNumber(`10.0.0.${last}`), port: 9422, version: 0, labels });
const [A, B, C] = [1, 2, 4];

function replicas(preferLabels: string | readonly string[] = [], own: readonly string[] = []): Replicas {
  return new Replicas((address) => address, {
    preferLabels: resolveSettings({ master: 'm', read: { preferLabels } }).read.preferLabels,
    ownAddresses: new Set(own.map(ipNumber)),
  });
}

const order = (of: Replicas, servers: readonly ReturnType<typeof server>[]) =>
  of.orderForReading(servers).map(({ ip }) => ip & 0xff);

describe('orderForReading', () => {
  it('keeps the master’s order among equals', () => {
    expect(order(replicas(), [server(3), server(1), server(2)])).toEqual([3, 1, 2]);
  });

  it('puts preferred labels first, in the order of the wish', () => {
    const servers = [server(1), server(2, A), server(3, B), server(4, A | B)];
    expect(order(replicas('B'), servers)).toEqual([3, 4, 1, 2]);
    expect(order(replicas(['B', 'A']), servers)).toEqual([3, 4, 2, 1]);
    expect(order(replicas(['AB', 'C']), [...servers, server(5, C)])).toEqual([4, 5, 1, 2, 3]);
  });

  it('puts this machine first among equally labelled ones', () => {
    const servers = [server(1, A), server(2, A), server(3)];
    expect(order(replicas('A', ['10.0.0.2', '10.0.0.3']), servers)).toEqual([2, 1, 3]);
    expect(order(replicas([], ['10.0.0.3']), servers)).toEqual([3, 1, 2]);
  });

  it('spreads over equals by what runs on them', () => {
    const of = replicas();
    const servers = [server(1), server(2)];
    const end = of.begin(servers[0]!);
    expect(order(of, servers)).toEqual([2, 1]);
    end();
    expect(order(of, servers)).toEqual([1, 2]);
  });

  it('reads from a preferred server that is busy, and not from one that failed', () => {
    const of = replicas('A', ['10.0.0.2']);
    const servers = [server(1), server(2, A)];
    of.begin(servers[1]!);
    expect(order(of, servers)).toEqual([2, 1]);
    of.failed(servers[1]!);
    expect(order(of, servers)).toEqual([1, 2]);
  });

  it.each(['a', '', 'A,B', '1'])('refuses %j as a label', (label) => {
    expect(() => replicas(label)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
  });
});
