/** Cuts ports off by iptables. Only in a network of the run's own: elsewhere it would touch the machine's own rules. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram } from '../../../scripts/servers.mjs';
import { formatAddress, type Address } from './address.ts';
import type { Blocking } from './control.ts';
import { inPrivateNetwork } from './network.ts';

const run = promisify(execFile);

/** Has packets to and from this address lost, or answered with a reset. */
export async function block(address: Address, how: Blocking): Promise<void> {
  for (const rule of rules(address, how)) await iptables('--insert', rule, address);
}

/** Undoes {@link block}. */
export async function unblock(address: Address, how: Blocking): Promise<void> {
  for (const rule of rules(address, how)) await iptables('--delete', rule, address);
}

/** Has every packet to and from this host lost, whatever the port. Resolves with what undoes it. */
export function cutOff(host: string): Promise<() => Promise<void>> {
  return hostRules(host, ['--jump', 'DROP']);
}

/** Has some of the packets to and from this host lost, by chance. Resolves with what undoes it. */
export function losePackets(host: string, probability: number): Promise<() => Promise<void>> {
  const chance = ['--match', 'statistic', '--mode', 'random', '--probability', String(probability)];
  return hostRules(host, [...chance, '--jump', 'DROP']);
}

async function hostRules(host: string, what: readonly string[]): Promise<() => Promise<void>> {
  const both = [['INPUT', '--destination', host, ...what], ['INPUT', '--source', host, ...what]]; // prettier-ignore
  for (const rule of both) await iptables('--insert', rule, { host, port: 0 });
  return async () => {
    for (const rule of both) await iptables('--delete', rule, { host, port: 0 });
  };
}

/** Of what is rejected, the answer must get through: it has the port as its source. */
function rules({ host, port }: Address, how: Blocking): string[][] {
  const to = ['INPUT', '--protocol', 'tcp', '--destination', host, '--dport', String(port)];
  const from = ['INPUT', '--protocol', 'tcp', '--source', host, '--sport', String(port)];
  if (how === 'reject') return [[...to, '--jump', 'REJECT', '--reject-with', 'tcp-reset']];
  return [
    [...to, '--jump', 'DROP'],
    [...from, '--jump', 'DROP'],
  ];
}

async function iptables(action: string, rule: readonly string[], address: Address): Promise<void> {
  if (!inPrivateNetwork()) {
    throw new Error("blocking a port is possible only in a network of the run's own: start it by scripts/launch.mjs");
  }
  const program = findProgram('iptables');
  if (program === undefined)
    throw new Error('blocking a port needs the program iptables (Debian: apt-get install iptables)');
  try {
    await run(program, ['--wait', action, ...rule]);
  } catch (error) {
    throw new Error(`iptables ${action} for ${formatAddress(address)} failed`, { cause: error });
  }
}
