/** s3rver with MooseFS behind it. */
import S3rver from 's3rver';
import type { MooseFS } from '../../src/index.ts';
import { MooseFSBuckets } from './store.ts';

/** Where it listens, and the folder that the buckets are in. */
export interface S3Options {
  readonly directory: string;
  readonly port?: number;
  readonly host?: string;
}

/** Starts listening; disposing ends it. The client stays open. */
export async function startS3(mfs: MooseFS, options: S3Options): Promise<{ readonly url: string } & AsyncDisposable> {
  const { directory, port = 0, host = '127.0.0.1' } = options;
  await mfs.mkdir(directory, { recursive: true });
  const server = new S3rver({ address: host, port, silent: true, vhostBuckets: false });
  server.store = server.context.store = new MooseFSBuckets(mfs, directory);
  const { address, port: chosen } = await server.run();
  return {
    url: `http://${address}:${chosen}`,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.httpServer.close(resolve));
      server.httpServer.closeAllConnections();
      await closed;
    },
  };
}
