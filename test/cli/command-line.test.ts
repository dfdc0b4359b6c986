import { describe, expect, it } from 'vitest';
import type { Command } from '../../src/cli/command.ts';
import { connectionOf, optionsOf, readCommandLine, synopsisOf, wholeNumber } from '../../src/cli/command-line.ts';
import { commands } from '../../src/cli/commands.ts';
import { UsageError } from '../../src/cli/status.ts';

const read = (...words: string[]) => readCommandLine(words, commands);
const parsed = (...words: string[]) => {
  const request = read(...words);
  if (request.kind !== 'run') throw new Error(`asks for ${request.kind}`);
  return request;
};

describe('the table of commands', () => {
  it('has each name once, and each option of a command once', () => {
    expect(new Set(commands.map(({ name }) => name)).size).toBe(commands.length);
    for (const command of commands) {
      const options = optionsOf(command);
      const letters = options.flatMap(({ short }) => short ?? []);
      expect(new Set(options.map(({ name }) => name)).size, command.name).toBe(options.length);
      expect(new Set(letters).size, command.name).toBe(letters.length);
    }
  });

  it('has at most one argument of a kind that repeats, and optional ones last', () => {
    for (const { name, arguments: specs } of commands) {
      expect(specs.filter(({ many }) => many).length, name).toBeLessThanOrEqual(1);
      const optional = specs.map((spec) => spec.optional === true);
      expect(optional, name).toEqual([...optional].sort());
    }
  });
});

describe('readCommandLine', () => {
  it('takes a negative number for a value, as find does', () => {
    expect(parsed('find', '/', '--size', '-10M', '--copies=-2').parsed.values).toMatchObject({
      size: '-10M',
      copies: '-2',
    });
    expect(() => read('find', '/', '--size', '--empty')).toThrow(UsageError);
    expect(parsed('cat', '--', '--size', '-10').parsed.arguments).toEqual(['--size', '-10']);
  });

  it('takes general options before and behind the name', () => {
    for (const words of [
      ['--master', 'm:1', 'ls', '-l', '/a'],
      ['ls', '--master=m:1', '-l', '/a'],
      ['ls', '/a', '-l', '--master', 'm:1'],
    ]) {
      const { command, parsed: found } = parsed(...words);
      expect(command.name).toBe('ls');
      expect(found.arguments).toEqual(['/a']);
      expect(found.values).toMatchObject({ master: 'm:1', long: true });
    }
  });

  it('takes a value for a command name only where it is none', () => {
    expect(parsed('--root', 'rm', 'ls').command.name).toBe('ls');
    expect(parsed('--root', 'rm', 'ls').parsed.values['root']).toBe('rm');
  });

  it('takes short options together, - as an argument, and everything behind -- as arguments', () => {
    expect(parsed('ls', '-lR').parsed.values).toMatchObject({ long: true, recursive: true });
    expect(parsed('put', '-', '/a').parsed.arguments).toEqual(['-', '/a']);
    expect(parsed('rm', '--', '-r').parsed).toMatchObject({ arguments: ['-r'] });
  });

  it('knows -h as help, except where a command means something else by it', () => {
    expect(read('put', '-h')).toMatchObject({ kind: 'help', command: { name: 'put' } });
    expect(parsed('ls', '-lh').parsed.values).toMatchObject({ 'human-readable': true });
    expect(read('ls', '--help')).toMatchObject({ kind: 'help', command: { name: 'ls' } });
    expect(read('help', 'cp')).toMatchObject({ kind: 'help', command: { name: 'cp' } });
    expect(read('help')).toEqual({ kind: 'help', command: undefined });
    expect(read('--help')).toEqual({ kind: 'help', command: undefined });
    expect(read('--version')).toEqual({ kind: 'version' });
  });

  it('finds commands of two words', () => {
    const group: Command[] = ['trash list', 'trash purge', 'ls'].map((name) => ({
      name,
      summary: '',
      arguments: [{ name: 'PATH', optional: true, completes: 'remote' }],
      options: [],
      run: () => Promise.resolve(),
    }));
    const found = readCommandLine(['trash', 'list', '/a'], group);
    expect(found).toMatchObject({ command: { name: 'trash list' }, parsed: { arguments: ['/a'] } });
    expect(() => readCommandLine(['trash', 'burn'], group)).toThrow('trash is one of: trash list, trash purge');
  });

  it.each([
    [[], 'which command'],
    [['--quiet'], 'which command'],
    [['frobnicate'], 'there is no command "frobnicate"'],
    [['put'], 'LOCAL and REMOTE missing'],
    [['put', 'a'], 'REMOTE missing; usage: mfs put [OPTION]... LOCAL... REMOTE'],
    [['df', '/a'], 'too many arguments'],
    [['ls', '--nonsense'], "unknown option '--nonsense'"],
    [['ls', '-z'], "unknown option '-z'"],
    [['ls', '--master'], "option '--master <value>' argument missing"],
    [['ls', '--long=yes'], "option '-l, --long' does not take an argument"],
    [['verify', '-m', 'crc', '/a'], '--method is one of checksums, md5, sha256, not "crc"'],
  ])('%j makes no sense', (words, message) => {
    expect(() => readCommandLine(words, commands)).toThrow(UsageError);
    expect(() => readCommandLine(words, commands)).toThrow(message);
  });
});

describe('what is read from options', () => {
  it('the connection, the password from the environment only', () => {
    const request = parsed(
      'ls',
      '--master',
      'm',
      '--root=/r',
      '--uid',
      '0',
      '--gid=7',
      '--map',
      'a:1=b:2',
      '--map=c:3=::1:4',
    );
    expect(connectionOf(request.parsed, { MFS_MASTER: 'other', MFS_PASSWORD: 'secret' })).toEqual({
      master: 'm',
      root: '/r',
      uid: 0,
      gid: 7,
      password: 'secret',
      addressMap: new Map([
        ['a:1', { host: 'b', port: 2 }],
        ['c:3', { host: '::1', port: 4 }],
      ]),
    });
    expect(connectionOf(parsed('ls').parsed, { MFS_MASTER: 'other' })).toMatchObject({
      master: 'other',
      uid: undefined,
    });
  });

  it('refuses what is no number and no pair', () => {
    for (const word of ['--uid=-1', '--uid=x', '--uid=4294967296', '--gid=1.5', '--map=a:1', '--map=a=b'])
      expect(() => connectionOf(parsed('ls', word).parsed, {}), word).toThrow(UsageError);
    expect(wholeNumber('jobs', undefined, 1, 9)).toBeUndefined();
    expect(wholeNumber('jobs', '9', 1, 9)).toBe(9);
    expect(() => wholeNumber('jobs', '10', 1, 9)).toThrow('--jobs takes a whole number from 1 to 9, not "10"');
  });
});

it('writes a synopsis', () => {
  const of = (name: string) => synopsisOf(commands.find((command) => command.name === name)!);
  expect(of('put')).toBe('mfs put [OPTION]... LOCAL... REMOTE');
  expect(of('ls')).toBe('mfs ls [OPTION]... [PATH...]');
  expect(of('cat')).toBe('mfs cat PATH...');
});
