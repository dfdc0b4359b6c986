/** Completion of command lines: what is offered, and the bash script with a real bash. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bashScript, complete, zshScript } from '../../src/cli/completion.ts';
import { commands } from '../../src/cli/commands.ts';
import { runMfs } from '../support/run-mfs.ts';

/** The line is split at spaces; what stands behind the last one is to be completed. */
const offered = (line: string) => complete(line.split(' ').slice(1), commands);
const words = (...list: string[]) => ({ kind: 'words', words: list });

describe('offers', () => {
  it.each([
    ['mfs sn', words('snapshot')],
    ['mfs trash ', words('get', 'list', 'purge', 'restore', 'set')],
    ['mfs trash re', words('restore')],
    ['mfs help tras', words('trash')],
    ['mfs help trash l', words('list')],
    ['mfs --mas', words('--master')],
    ['mfs --master ', words()],
    ['mfs --master host:9421 heal', words('health')],
    ['mfs health --time', words('--timeout')],
    ['mfs health --timeout ', words()],
    ['mfs verify --method ', words('checksums', 'md5', 'sha256')],
    ['mfs verify --method=m', words('--method=md5')],
    ['mfs nonsense ', words()],
    ['mfs ls /fi', { kind: 'remote', prefix: '/fi' }],
    ['mfs ls -l /a ', { kind: 'remote', prefix: '' }],
    ['mfs put ', { kind: 'local' }],
    ['mfs sclass set ', words()],
    ['mfs sclass set 3CP /a /b', { kind: 'remote', prefix: '/b' }],
    ['mfs quota set --hard-length 1G /', { kind: 'remote', prefix: '/' }],
    ['mfs cat -- -a', { kind: 'remote', prefix: '-a' }],
    ['mfs df ', words()],
  ])('%s', (line, expected) => expect(offered(line)).toEqual(expected));

  it('every command and every option of it', () => {
    for (const { name, options } of commands) {
      const path = name.split(' ');
      const list = complete(path, commands);
      expect(list.kind === 'words' && list.words).toContain(path.at(-1));
      const found = complete([...path, '--'], commands);
      for (const option of options) expect(found.kind === 'words' && found.words).toContain(`--${option.name}`);
    }
  });
});

it('without a master no path is offered, and nothing is said', async () => {
  const found = await runMfs(['completion', 'words', '--', 'ls', '/f'], { master: '127.0.0.1:1' });
  expect(found).toMatchObject({ status: 0, stdout: 'remote\n', stderr: '' });
});

it('the scripts are printed', async () => {
  expect((await runMfs(['completion', 'bash'])).stdout).toBe(`${bashScript.join('\n')}\n`);
  expect((await runMfs(['completion', 'zsh'])).stdout).toBe(`${zshScript.join('\n')}\n`);
});

describe('the script in bash', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mfs-completion-'));
    // Stands for mfs: answers as it would, and shows what it was asked.
    const stub =
      '#!/bin/sh\nshift 3\nlast=; for last; do :; done\ncase $last in\n/*) echo remote; echo "/a b/" ;;\n*) echo words; echo "asked-$#" ;;\nesac\n';
    writeFileSync(join(folder, 'mfs'), stub);
    chmodSync(join(folder, 'mfs'), 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const replies = (...line: string[]) =>
    execFileSync(
      'bash',
      [
        '--norc',
        '-c',
        `${bashScript.join('\n')}\ncompopt() { :; }\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mfs; printf '%s\\n' "\${COMPREPLY[@]}"`,
        'bash',
        ...line,
      ],
      { env: { PATH: `${folder}:${process.env['PATH'] ?? ''}` } },
    ).toString();

  it('hands over the words and takes the answers, spaces and all', () => {
    expect(replies('mfs', 'trash', '')).toBe('asked-2\n');
    expect(replies('mfs', 'ls', '/a')).toBe('/a b/\n');
  });
});
