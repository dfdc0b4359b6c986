/**
 * npm run example -- examples/s3-front/main.ts
 *
 * An S3 end point for those who speak nothing else, on the MooseFS that $MFS_MASTER names, else on a cluster of its own. Settings:
 * PORT (4568), HOST (127.0.0.1), DIRECTORY (/s3). The key and its secret are both S3RVER, which is what s3rver knows: put
 * something in front of it before strangers reach it. Clients must not send the trailing checksums that are the AWS SDK's default
 * now (`requestChecksumCalculation: 'WHEN_REQUIRED'`), and list more than 1000 objects by marker (ListObjects, not ListObjectsV2).
 */
import { connect, folderWithCopies } from '../connect.ts';
import { startS3 } from './front.ts';

const { PORT = '4568', HOST = '127.0.0.1', DIRECTORY = '/s3' } = process.env;
await using connected = await connect();
await folderWithCopies(connected.mfs, DIRECTORY, 2);
await using front = await startS3(connected.mfs, { directory: DIRECTORY, port: Number(PORT), host: HOST });
console.log(`MooseFS ${connected.mfs.serverVersion}: S3 at ${front.url}`);
await new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
});
