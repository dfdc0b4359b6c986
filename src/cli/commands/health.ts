/** mfs health: is the master there? Made for probes: opens no session, is bounded in time, and its exit status says it all. */
import { health as askHealth } from '../../index.ts';
import { jsonOption } from '../command.ts';
import type { Command } from '../command.ts';
import { failure } from '../status.ts';

const DEFAULT_TIMEOUT_MS = 5000;
const LONGEST_TIMEOUT_MS = 3_600_000;

export const health: Command = {
  name: 'health',
  summary: 'whether the master is alive, busy or unreachable',
  description: [
    'Exit status 0 when a master answers, 1 otherwise. A master that is connected and has not answered yet is called busy: it may ' +
      'be in a long operation, so ask again before anything is done about it. Silent for 10 s on a connection it is called unreachable.',
  ],
  arguments: [],
  options: [{ name: 'timeout', value: 'MS', help: 'milliseconds for the whole check; default 5000' }, jsonOption],
  examples: [{ line: 'mfs health --timeout 3000', does: 'as a probe' }],
  async run({ connection, number, output, signal, failed }) {
    const timeoutMs = number('timeout', 1, LONGEST_TIMEOUT_MS) ?? DEFAULT_TIMEOUT_MS;
    const found = await askHealth(connection.master ?? 'mfsmaster', { timeoutMs, signal });
    for (const each of found.masters) {
      const { error, ...evidence } = each;
      if (output.isJson) await output.json({ ...evidence, error: error?.message });
      else
        await output.lines([`${each.state}: ${each.reason}${each.version === undefined ? '' : ` (${each.version})`}`]);
    }
    if (found.state !== 'alive') failed(undefined, failure('ETIMEDOUT', `${found.master} is ${found.state}`));
  },
};
