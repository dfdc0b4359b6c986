import { describe, expect, it } from 'vitest';
import { chart, relativeBars } from '../../bench/chart.ts';
import { cpuSecondsIn, peakBytesIn } from '../../bench/contenders.ts';
import { readOptions } from '../../bench/options.ts';
import { selfTimes } from '../../bench/profile.ts';
import { promises } from '../../bench/promises.ts';
import { placeTable, withOtherRows, type Report, type Row } from '../../bench/report.ts';
import type { Summary } from '../../bench/statistics.ts';
import { alignColumns, markdownTable, printTable } from '../../bench/table.ts';
import { fullScale, workloads } from '../../bench/workloads.ts';

const summary = (median: number): Summary => ({
  runs: 5,
  median,
  min: median - 1,
  max: median + 1,
  cpuSeconds: 1.25,
  cpuPerGiB: 1.5,
  peakBytes: 50 * 2 ** 20,
});
const row: Row = {
  name: 'sequential write, 1 copy <&>',
  workload: 'stream-1',
  unit: 'MB/s',
  wanted: 1.1,
  clients: { 'moosefs-client': summary(300), libmfsio: summary(200), mfsmount: summary(150) },
};
const alone: Row = { name: 'alone', workload: 'verify', unit: 'MB/s', clients: { 'moosefs-client': summary(7) } };
const report: Report = {
  date: '2026-01-02T03:04:05.000Z',
  machine: {
    servers: '9.8.7',
    provider: 'programs',
    cores: 2,
    cpu: 'some CPU',
    memoryGiB: 4,
    kernel: 'Linux 6.1',
    node: '20.0.0',
    disk: 'tmpfs',
    loadBefore: 0.25,
  },
  scale: fullScale,
  runs: 5,
  limits: { loopbackTcp: 1000, crc32: 9000, diskWrite: 500 },
  rows: [row, alone],
  loadAfter: 2,
};

describe('the chart', () => {
  it('shows speeds relative to the faster peer, and only what can be compared', () => {
    const groups = relativeBars([row, alone]);
    expect(groups).toHaveLength(1);
    expect(groups[0]!.bars.map(({ relative }) => relative)).toEqual([1.5, 1, 0.75]);
    expect(groups[0]!.bars[0]!.text).toBe('300 MB/s');
  });

  it('writes large numbers without an exponent', () => {
    const fast = { ...row, clients: { ...row.clients, libmfsio: summary(12_345) } };
    expect(relativeBars([fast])[0]!.bars[1]!.text).toBe('12300 MB/s');
  });

  it('has bars as long as the ratios are, and escapes names', () => {
    const svg = chart(report);
    const widths = [...svg.matchAll(/<rect x="330" y="\d+" width="([\d.]+)" height="9"/g)].map(([, w]) => Number(w));
    expect(widths).toHaveLength(3);
    expect(widths[0]! / widths[1]!).toBeCloseTo(1.5, 2);
    expect(widths[2]! / widths[1]!).toBeCloseTo(0.75, 2);
    expect(svg).toContain('1 copy &lt;&amp;>');
    expect(svg).not.toContain('<&>');
  });
});

describe('the tables', () => {
  it('say the ratio, whether it was reached, CPU, memory and the limits', () => {
    const text = markdownTable(report);
    expect(text).toContain('| 300 MB/s | 299–301 | 1.50 | 1.1 reached | 1.50 s/GiB | 50 MiB |');
    expect(text).toContain('loopback TCP between two processes of node 1000 MB/s');
  });

  it('say when it was missed', () => {
    const slow = { ...row, clients: { ...row.clients, 'moosefs-client': summary(218) } };
    expect(markdownTable({ ...report, rows: [slow] })).toContain('| 1.09 | 1.1 missed |');
  });

  it('compare with the last report', () => {
    const last = { ...report, rows: [{ ...row, clients: { 'moosefs-client': summary(400) } }] };
    expect(printTable(report, last)).toMatch(/moosefs-client +300 MB\/s .* -25%\n/);
    expect(printTable(report, undefined)).not.toContain('-25%');
  });

  it('say what share of the loopback a stream reaches', () => {
    expect(printTable(report, undefined)).toMatch(/moosefs-client +300 MB\/s .* 30% of TCP/);
  });

  it('are placed between the marks of their version, others are left alone', () => {
    const text =
      'a\n\n<!-- results 1.0 -->\n\nold\n\n<!-- end 1.0 -->\n\n<!-- results 2.0 -->\n\nkept\n\n<!-- end 2.0 -->\n';
    const placed = placeTable(text, '1.0', 'new');
    expect(placed).toBe(text.replace('old', 'new'));
    expect(placeTable('b\n', '1.0', 'new')).toBe('b\n\n<!-- results 1.0 -->\n\nnew\n\n<!-- end 1.0 -->\n');
    expect(placeTable(placed, '1.0', 'new')).toBe(placed);
  });

  it('align columns', () => {
    expect(
      alignColumns([
        ['a', 'bbb', ''],
        ['cc', 'd', 'e'],
      ]),
    ).toBe('a   bbb\ncc  d    e\n');
  });
});

describe('a part that is run again', () => {
  it('replaces its own rows, in their places, and adds new ones', () => {
    const names = (of: Report) => of.rows.map(({ name }) => name);
    const faster: Row = { ...alone, clients: { 'moosefs-client': summary(9) } };
    const other: Row = { ...alone, name: 'other' };
    const last = { ...report, rows: [row, alone] };
    const merged = withOtherRows({ ...report, rows: [other, faster] }, last);
    expect(names(merged)).toEqual([row.name, 'alone', 'other']);
    expect(merged.rows[1]).toBe(faster);
    expect(names(withOtherRows({ ...report, rows: [other] }, undefined))).toEqual(['other']);
  });

  it('leaves the others what they were measured on, also after many parts', () => {
    const day = (n: number, rows: readonly Row[]): Report => ({ ...report, date: `2026-01-0${n}`, runs: n, rows });
    const named = (name: string): Row => ({ ...alone, name });
    const first = day(1, ['one', 'two', 'three'].map(named));
    const second = withOtherRows(day(2, [named('two')]), first);
    const third = withOtherRows(day(3, [named('three')]), second);
    const runs = (of: Report) =>
      of.rows.map(({ earlier }) => (earlier === undefined ? of.runs : of.earlier![earlier]!.runs));
    expect([runs(second), runs(third)]).toEqual([
      [1, 2, 1],
      [1, 2, 3],
    ]);
    expect(runs(withOtherRows(day(4, ['one', 'two'].map(named)), third))).toEqual([4, 4, 3]);
    const text = markdownTable(third);
    for (const each of ['| one (a) |', '| two (b) |', '| three |', 'MiB. 2026-01-03, 3 runs', '(a) 2026-01-01, 1 runs'])
      expect(text).toContain(each);
    expect(chart(third)).toContain('some of earlier runs');
    expect(chart(first)).not.toContain('earlier');
  });
});

describe('the promises', () => {
  const ours = (cpuPerGiB: number, mib: number): Summary => ({ ...summary(300), cpuPerGiB, peakBytes: mib * 2 ** 20 });
  const withOurs = (client: Summary): Report => ({
    ...report,
    rows: [{ ...row, clients: { ...row.clients, 'moosefs-client': client } }, alone],
  });

  it('are the ratio, the CPU against the mount, and the memory', () => {
    expect(promises(withOurs(ours(1.5, 119)))).toEqual([
      { what: `${row.name}: speed`, wanted: 'at least 1.1', found: '1.50', kept: true },
      { what: `${row.name}: CPU against mfsmount's`, wanted: 'at most 1.0', found: '1.00', kept: true },
      { what: `${row.name}: memory`, wanted: 'at most 120 MiB', found: '119 MiB', kept: true },
    ]);
  });

  it('are broken by more CPU or memory', () => {
    expect(promises(withOurs(ours(1.52, 121))).map(({ kept }) => kept)).toEqual([true, false, false]);
  });

  it('hold uploads to their own memory', () => {
    const uploads = { ...row, workload: 'uploads', clients: { 'moosefs-client': ours(1, 251) } };
    expect(promises({ ...report, rows: [uploads] })).toEqual([
      { what: `${row.name}: memory`, wanted: 'at most 250 MiB', found: '251 MiB', kept: false },
    ]);
  });
});

describe('the usage of another process', () => {
  it('is read behind a name that holds blanks and brackets', () => {
    const stat = '4711 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0';
    expect(cpuSecondsIn(stat)).toBe(3);
  });

  it('has a high water mark', () => {
    expect(peakBytesIn('Name:\tmfsmount\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n')).toBe(2048 * 1024);
    expect(() => peakBytesIn('Name:\tzombie\n')).toThrow('VmHWM');
  });
});

describe('a profile', () => {
  it('comes to own times without idleness, the most first', () => {
    const callFrame = (functionName: string, url = '', lineNumber = -1) => ({ functionName, url, lineNumber });
    const nodes = [
      { id: 1, callFrame: callFrame('(idle)') },
      { id: 2, callFrame: callFrame('work', 'file:///a/b/c.js', 9) },
      { id: 3, callFrame: callFrame('', 'node:net', 0) },
      { id: 4, callFrame: callFrame('work', 'file:///a/b/c.js', 9) },
    ];
    const times = selfTimes({ nodes, samples: [1, 2, 3, 4], timeDeltas: [9e6, 1e6, 1e6, 2e6] });
    expect(times).toEqual([
      { name: 'work c.js:10', seconds: 3, share: 0.75 },
      { name: '(anonymous) node:net:1', seconds: 1, share: 0.25 },
    ]);
  });
});

describe('the command line', () => {
  it('saves whole runs only, unless asked', () => {
    expect(readOptions([])).toMatchObject({ save: true, runs: 5, quick: false, scale: fullScale });
    for (const less of [['--quick'], ['--only', 'many'], ['--client', 'mfsmount'], ['--profile']])
      expect(readOptions(less).save).toBe(false);
    expect(readOptions(['--only', 'many', '--save']).save).toBe(true);
  });

  it('refuses what it does not know', () => {
    for (const wrong of [['--runs', '0'], ['--runs', 'x'], ['--client', 'other'], ['--fast']])
      expect(() => readOptions(wrong)).toThrow();
  });
});

describe('the workloads', () => {
  it('have names of their own, also their steps', () => {
    const all = workloads(fullScale);
    const steps = all.flatMap((each) => each.steps.flatMap(({ name }) => name ?? []));
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    expect(new Set(steps).size).toBe(steps.length);
  });

  it('hold the project to every ratio of its promise', () => {
    const wanted = workloads(fullScale).flatMap(({ steps }) => steps.flatMap((step) => step.wanted ?? []));
    expect(wanted.sort()).toEqual([1, 1, 1.1, 1.1, 1.3, 1.3, 1.3, 1.3, 1.3, 1.5, 1.5, 2]);
  });
});
