/** What keeps this process alive: sockets and timers that a closed client must not leave behind. */
import { setTimeout as sleep } from 'node:timers/promises';

const WATCHED = ['TCPSocketWrap', 'TCPConnectWrap', 'Timeout'];

/** How many of each there are now. */
export function activeResources(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo())
    if (WATCHED.includes(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** What there is more of than before, after time enough for sockets to be closed: empty when nothing leaks. */
export async function leakedSince(before: ReadonlyMap<string, number>): Promise<string[]> {
  for (let left = 30; ; left--) {
    const more = [...activeResources()].filter(([name, count]) => count > (before.get(name) ?? 0));
    if (more.length === 0 || left === 0)
      return more.map(([name, count]) => `${count - (before.get(name) ?? 0)} ${name}`);
    // A timer of this wait is counted itself, hence not while it runs.
    await sleep(100);
  }
}
