import { expect, it } from 'vitest';
import { globalOptions } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/commands.ts';
import { commandHelp, generalHelp } from '../../src/cli/help.ts';
import { readCommandLine } from '../../src/cli/command-line.ts';

it('the general help names every command, every general option and every exit status', () => {
  const text = generalHelp(commands).join('\n');
  for (const { name, summary } of commands) expect(text).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
  for (const { name } of globalOptions) expect(text).toContain(`--${name}`);
  expect(text).toContain('0 done, 1 failed, 2 wrong usage, 3 a verification found a difference, 130 interrupted');
});

it.each(commands.map((command) => [command.name, command] as const))('the help of %s tells all of it', (_, command) => {
  const lines = commandHelp(command);
  const text = lines.join('\n');
  for (const { name, help, choices = [] } of command.options) {
    expect(text).toMatch(new RegExp(`--${name}\\b`));
    expect(text).toContain(help);
    for (const choice of choices) expect(text).toContain(choice);
  }
  for (const { name } of command.arguments) expect(text).toContain(name);
  for (const { does } of command.examples ?? []) expect(text).toContain(does);
});

it('the examples are command lines that are understood', () => {
  for (const { examples = [] } of commands) {
    for (const { line } of examples) {
      const own = line.split(/[|<>]/).find((part) => part.trim().startsWith('mfs '))!;
      expect(readCommandLine(own.trim().split(/\s+/).slice(1), commands).kind, line).toBe('run');
    }
  }
});
