/**
 * npm run upload-service
 *
 * Starts the service, on the MooseFS that $MFS_MASTER names, else on a cluster of its own with three chunkservers. Settings:
 * PORT (8080), HOST (127.0.0.1), MAX_BYTES, COPIES (3), DIRECTORY (/uploads).
 */
import { MooseFS } from '../../src/index.ts';
import { UploadService } from './service.ts';

const { MFS_MASTER, PORT = '8080', HOST = '127.0.0.1', MAX_BYTES, COPIES = '3', DIRECTORY = '/uploads' } = process.env;

// Only who has no MooseFS needs what starts one.
const cluster =
  MFS_MASTER === undefined ? await (await import('../../test/support/cluster/cluster.ts')).startCluster() : undefined;
const mfs = await MooseFS.connect({
  master: cluster?.master ?? MFS_MASTER!,
  ...(cluster && { chunkserverAddress: (address) => cluster.mapAddress(address) }),
});
await mfs.mkdir(DIRECTORY, { recursive: true });
await mfs.storageClass.set(DIRECTORY, mfs.serverVersion.startsWith('3.') ? COPIES : `${COPIES}CP`);
const service = await UploadService.start(mfs, {
  directory: DIRECTORY,
  port: Number(PORT),
  host: HOST,
  ...(MAX_BYTES !== undefined && { maxBytes: Number(MAX_BYTES) }),
});
console.log(`MooseFS ${mfs.serverVersion}: uploads at ${service.url}`);

let ending = false;
const end = async (): Promise<void> => {
  if (ending) return;
  ending = true;
  console.log('finishing or parking uploads');
  await service.close();
  await mfs.close();
  await cluster?.stop();
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    end().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
