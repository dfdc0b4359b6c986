/** mfs man: the manual page. */
import type { Command } from '../command.ts';
import { manPage } from '../man-page.ts';
import { packageVersion } from '../package-version.ts';

/** `commands` gives the table that it is part of. */
export const man = (commands: () => readonly Command[]): Command => ({
  name: 'man',
  summary: 'the manual page, as roff',
  arguments: [],
  options: [],
  examples: [{ line: 'mfs man | man -l -', does: 'to read it' }],
  async run({ output }) {
    await output.lines(manPage(commands(), packageVersion()));
  },
});
