/** mfs health as a probe: its exit status, its words, its JSON, and the monitor script of docs/health.md on top of it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FakeMaster } from '../support/fake-master.ts';
import { runMfs } from '../support/run-mfs.ts';

const PASSWORD = 'not for any eye';
const probe = (master: string, ...words: string[]) =>
  runMfs(['health', '--timeout', '1000', ...words], { master, env: { MFS_PASSWORD: PASSWORD } });

/** A master of each kind, and what is to be said of it. */
const kinds: Record<string, (master: FakeMaster) => Promise<void> | void> = {
  alive: () => undefined,
  busy: (master) => void (master.onConnect = () => 'mute'),
  unreachable: (master) => master.close(),
};

describe('mfs health', () => {
  it.each(Object.entries(kinds))('%s: by its exit status, in words and in JSON', async (state, prepare) => {
    await using master = await FakeMaster.start({ version: '3.0.117', password: PASSWORD });
    await prepare(master);
    const said = await probe(master.address);
    expect(said.status).toBe(state === 'alive' ? 0 : 1);
    expect(said.stdout).toMatch(new RegExp(`^${state}: .*${master.address}`));
    const evidence = JSON.parse((await probe(master.address, '--json')).stdout) as Record<string, unknown>;
    expect(evidence).toMatchObject({ state, master: master.address });
    expect(typeof evidence['reason']).toBe('string');
    // Neither a session nor a password: a probe runs every few seconds, and its output is kept by others.
    expect(master.timeline.count({ name: 'REGISTER' })).toBe(0);
    expect(said.stdout + said.stderr + JSON.stringify(evidence)).not.toContain(PASSWORD);
  });

  it('of several masters one alive is enough, and each has its evidence', async () => {
    await using alive = await FakeMaster.start();
    const gone = await FakeMaster.start();
    await gone.close();
    const { status, stdout } = await probe(`${gone.address},${alive.address}`, '--json');
    expect(status).toBe(0);
    const states = stdout.trim().split('\n').map((line) => (JSON.parse(line) as { state: string }).state); // prettier-ignore
    expect(states.sort()).toEqual(['alive', 'unreachable']);
  });

  it.each([
    ['alive', 0],
    ['busy', 7],
    ['unreachable', 7],
  ])('the monitor of docs/health.md on %s ends with %d', async (state, expected) => {
    await using master = await FakeMaster.start();
    await kinds[state]!(master);
    const { stdout } = await probe(master.address, '--json');
    const page = readFileSync(new URL('../../docs/health.md', import.meta.url), 'utf8');
    const script = /```sh\n(monitor\(\) \{[\s\S]*?)```/.exec(page)![1]!;
    // The command is replaced by what it said, and the waiting left out.
    const around = `mfs() { printf '%s' "$SAID"; }; sleep() { :; }; OCF_SUCCESS=0; OCF_NOT_RUNNING=7\n${script}\nmonitor`;
    const env = { PATH: process.env['PATH'] ?? '', SAID: stdout, OCF_RESKEY_master: master.address };
    expect(spawnSync('sh', ['-c', around], { env }).status).toBe(expected);
  });
});
