/** Options of a cluster and the servers' configuration files made of them. */
import { describe, expect, test } from 'vitest';
import { formatAddress, parseAddress } from '../support/cluster/address.ts';
import {
  chunkserverConfig,
  diskConfig,
  exportsConfig,
  masterConfig,
  metaloggerConfig,
} from '../support/cluster/config.ts';
import { chunkserverCount, chunkserverOptions } from '../support/cluster/options.ts';

const master = { host: '10.78.0.5', clientPort: 9421, chunkserverPort: 9420, metaloggerPort: 9419 };
const lines = (text: string): string[] => text.trimEnd().split('\n');

describe('mfsmaster.cfg', () => {
  test('names its folder and its three ports', () => {
    const text = lines(masterConfig('/t/master', master, true, {}));
    expect(text).toContain('DATA_PATH = /t/master');
    expect(text).toContain('EXPORTS_FILENAME = /t/master/mfsexports.cfg');
    expect(text).toContain('MATOCL_LISTEN_HOST = 10.78.0.5');
    expect(text).toContain('MATOCL_LISTEN_PORT = 9421');
    expect(text).toContain('MATOCS_LISTEN_PORT = 9420');
    expect(text).toContain('MATOML_LISTEN_PORT = 9419');
    expect(text).toContain('WORKING_USER = root');
  });

  test('leaves the user out where it is not root, and lets the test have the last word', () => {
    const text = lines(masterConfig('/t', master, false, { masterConfig: { SESSION_SUSTAIN_TIME: '9' } }));
    expect(text.filter((line) => line.startsWith('WORKING_'))).toEqual([]);
    expect(text.filter((line) => line.startsWith('SESSION_SUSTAIN_TIME'))).toEqual(['SESSION_SUSTAIN_TIME = 9']);
  });
});

test('mfschunkserver.cfg: binds to the address that clients are told, and has its label', () => {
  const address = { host: '10.78.5.2', port: 9422 };
  const text = lines(chunkserverConfig('/t/cs', address, master, true, { label: 'B', config: { WORKERS_MAX: '5' } }));
  expect(text).toContain('BIND_HOST = 10.78.5.2');
  expect(text).toContain('CSSERV_LISTEN_HOST = 10.78.5.2');
  expect(text).toContain('CSSERV_LISTEN_PORT = 9422');
  expect(text).toContain('MASTER_HOST = 10.78.0.5');
  expect(text).toContain('MASTER_PORT = 9420');
  expect(text).toContain('LABELS = B');
  expect(text).toContain('WORKERS_MAX = 5');
  expect(text).toContain('HDD_CONF_FILENAME = /t/cs/mfshdd.cfg');
});

test('the small files', () => {
  expect(diskConfig('/d', {})).toBe('/d\n');
  expect(diskConfig('/d', { diskLimit: '300MiB' })).toBe('/d 300MiB\n');
  expect(exportsConfig({})).toBe('* / rw,alldirs,admin,maproot=0:0\n* . rw\n');
  expect(exportsConfig({ exports: ['* / ro'] })).toBe('* / ro\n');
  expect(lines(metaloggerConfig('/t', master, true))).toContain('MASTER_PORT = 9419');
});

describe('options', () => {
  test('three chunkservers by default, and only whole numbers', () => {
    expect(chunkserverCount({})).toBe(3);
    expect(chunkserverCount({ chunkservers: 0 })).toBe(0);
    for (const chunkservers of [-1, 1.5, 101, Number.NaN]) {
      expect(() => chunkserverCount({ chunkservers })).toThrow(RangeError);
    }
    expect(() => chunkserverCount({ chunkservers: 1, labels: ['A', 'B'] })).toThrow('2 given for 1');
  });

  test('each chunkserver gets its label and what is meant for all', () => {
    const options = { labels: ['A'], diskLimit: '1GiB', chunkserverConfig: { X: '1' } };
    expect(chunkserverOptions(options, 0)).toEqual({ label: 'A', diskLimit: '1GiB', config: { X: '1' } });
    expect(chunkserverOptions(options, 1)).toEqual({ diskLimit: '1GiB', config: { X: '1' } });
    expect(chunkserverOptions({}, 0)).toEqual({});
  });
});

test('addresses', () => {
  expect(parseAddress('mfsmaster:9421', 1)).toEqual({ host: 'mfsmaster', port: 9421 });
  expect(parseAddress('10.0.0.1', 9421)).toEqual({ host: '10.0.0.1', port: 9421 });
  expect(formatAddress({ host: 'a', port: 1 })).toBe('a:1');
  for (const text of ['', ':9421', 'a:', 'a:0', 'a:65536', 'a b:1']) {
    expect(() => parseAddress(text, 9421)).toThrow(TypeError);
  }
});
