/** That a leak would be seen: a client that is not closed is one. */
import { expect, it } from 'vitest';
import { FakeCluster } from './fake-cluster.ts';
import { withoutLeaks } from './leaks.ts';

it('sees the timers and sockets of a client that is not closed', async () => {
  await using cluster = await FakeCluster.start();
  let client: Awaited<ReturnType<FakeCluster['connect']>> | undefined;
  await expect(
    withoutLeaks(async () => {
      client = await cluster.connect();
    }),
  ).rejects.toThrow(/left behind:\n(TCPWRAP|Timeout) [^]*src\/(client|transport)/);
  await client!.close();
});

it('is content with one that is', async () => {
  await using cluster = await FakeCluster.start();
  await expect(withoutLeaks(async () => (await cluster.connect()).close())).resolves.toBeUndefined();
});
