/** The manual page: everything that is declared is in it, and nothing in it is taken for a request of roff by accident. */
import { expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { manPage } from '../../src/cli/man-page.ts';
import { runMfs } from '../support/run-mfs.ts';

const REQUESTS = /^\.(TH|SH|SS|TP|PP|RS 4|nf|fi|RE)\b/;
const page = manPage(commands, '1.2.3');
const text = page
  .join('\n')
  .replaceAll('\\-', '-')
  .replaceAll(/\\f[BIR]/g, '');

it('has every command, option, example and sentence', () => {
  for (const { name, summary, options, description = [], examples = [] } of commands) {
    expect(text).toContain(`.SS mfs ${name}`);
    expect(text.toLowerCase()).toContain(summary.toLowerCase());
    for (const option of options) expect(text).toContain(`--${option.name}`);
    for (const each of [...description, ...examples.map(({ line }) => line)])
      expect(text.replaceAll('\\e', '\\')).toContain(each);
  }
});

it('has requests that are meant, one line each, and no others', () => {
  for (const line of page) {
    expect(line).not.toContain('\n');
    if (line.startsWith('.')) expect(line).toMatch(REQUESTS);
    expect(line).not.toMatch(/^'/);
    // A backslash begins an escape that is meant.
    expect(line).not.toMatch(/\\(?![-efn&])/);
  }
});

it('is what the command prints', async () => {
  const { stdout, status } = await runMfs(['man']);
  expect(status).toBe(0);
  expect(stdout.split('\n').slice(1, -1)).toEqual(manPage(commands, '').slice(1));
});
