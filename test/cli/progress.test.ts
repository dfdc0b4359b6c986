import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Progress } from '../../src/cli/progress.ts';
import { widthOf } from '../../src/cli/text.ts';

class Screen extends Writable {
  readonly isTTY: boolean;
  readonly columns = 100;
  written = '';
  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }
  override _write(piece: Buffer, _encoding: string, callback: () => void): void {
    this.written += piece.toString();
    callback();
  }
}

function setUp({ isTTY = true, enabled = true } = {}) {
  const clock = { ms: 0 };
  const screen = new Screen(isTTY);
  return { clock, screen, progress: new Progress(screen, { enabled, now: () => clock.ms }) };
}

describe('the bar', () => {
  it('shows part, bytes, rate, time left and files', () => {
    const { clock, progress } = setUp();
    progress.begin('/folder', { total: 100 << 20, files: 3 });
    clock.ms = 1000;
    progress.add(25 << 20);
    progress.fileDone();
    expect(progress.line(120)).toMatch(
      /^\/folder +25% {2}█{6}░{18} {2}25\.0 MiB of 100 MiB {2}25\.0 MiB\/s {2}0:03 left {2}1 of 3 files$/,
    );
  });

  it('shows bytes and rate where nobody knows the total', () => {
    const { clock, progress } = setUp();
    progress.begin('-', { total: undefined });
    clock.ms = 2000;
    progress.add(3 << 20);
    expect(progress.line(80)).toMatch(/^- +3\.0 MiB {2}1\.5 MiB\/s$/);
  });

  it('never wraps, and cuts a title from its front', () => {
    const { clock, progress } = setUp();
    progress.begin(`/${'long '.repeat(20)}end\n`, { total: 10, files: 2 });
    clock.ms = 500;
    progress.add(5);
    for (let columns = 10; columns < 200; columns++) expect(widthOf(progress.line(columns))).toBeLessThan(columns);
    expect(progress.line(150)).toMatch(/^….*end\\n {2}/);
  });

  it('begins again for a second pass over one file, and grows for several', () => {
    const { clock, progress } = setUp();
    progress.begin('/a', { total: 10 });
    progress.add(10);
    progress.secondPass('verifying /a', 30);
    clock.ms = 1000;
    progress.add(15);
    expect(progress.line(100)).toMatch(/^verifying \/a +50%/);
    progress.begin('/a', { total: 10, files: 2 });
    progress.add(10);
    progress.secondPass('verifying /a', 30);
    expect(progress.line(100)).toMatch(/^\/a +25%/);
  });
});

describe('drawing', () => {
  it('draws over itself, not at every byte, and leaves nothing', () => {
    const { clock, screen, progress } = setUp();
    progress.begin('/a', { total: 1000 });
    for (let i = 0; i < 1000; i++) {
      clock.ms += 1;
      progress.add(1);
    }
    progress.end();
    const drawn = screen.written.split('\r').length - 1;
    expect(drawn).toBeGreaterThan(5);
    expect(drawn).toBeLessThan(15);
    expect(screen.written.endsWith('\r\u001b[K')).toBe(true);
    const before = screen.written;
    clock.ms += 1000;
    progress.add(1);
    progress.end();
    expect(screen.written).toBe(before);
  });

  it.each([{ isTTY: false }, { enabled: false }])('draws nothing with %j', (how) => {
    const { clock, screen, progress } = setUp(how);
    progress.begin('/a', { total: 10 });
    clock.ms = 1000;
    progress.add(5);
    progress.end();
    expect(screen.written).toBe('');
  });
});
