/** mfs put: files of this machine, or standard input, into the file system. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ChunkReplication, FileVerification, MooseFS } from '../../index.ts';
import { jobsOption, jsonOption, recursiveOption } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import { copyTrees } from '../copy-trees.ts';
import { replaceRemoteFile } from '../replace-file.ts';
import { failure, UsageError } from '../status.ts';
import { added, counter } from '../transfer.ts';
import { LocalTree, RemoteTree } from '../trees.ts';

/** Bytes of one read of a local file. */
const PIECE = 1024 * 1024;
const STDIN_MODE = 0o666;

export const put: Command = {
  name: 'put',
  summary: 'copy files of this machine into the file system',
  description: [
    'LOCAL may be -, which is standard input; REMOTE is then the name of the file. Where REMOTE is a folder the files go into it.',
    'A file is written under another name (.mfs-put-...) and gets its own when every server that the master listed has acknowledged every byte. What stood there before is untouched until then.',
    'With --verify every replica is read back from its own server and compared with what was sent before the file gets its name; a difference is exit status 3.',
  ],
  arguments: [
    { name: 'LOCAL', many: true, completes: 'local' },
    { name: 'REMOTE', completes: 'remote' },
  ],
  options: [
    recursiveOption,
    jobsOption,
    { name: 'verify', help: 'read every replica back and compare it with what was sent' },
    { name: 'storage-class', value: 'NAME', help: 'the storage class of new files; default that of their folder' },
    jsonOption,
  ],
  examples: [
    { line: 'mfs put photo.jpg /photos/', does: 'into a folder, under the same name' },
    { line: 'mfs put -r site /www --jobs 8', does: 'a folder with all that is in it, eight files at the same time' },
    {
      line: 'tar c data | mfs put - /backup/data.tar --verify',
      does: 'what comes on standard input, proved on every replica',
    },
  ],
  async run(context) {
    const words = context.arguments;
    const sources = words.slice(0, -1);
    const destination = Buffer.from(words.at(-1)!);
    if (sources.includes('-') && sources.length > 1) throw new UsageError('- stands alone: it is one file');
    context.number('jobs', 1, 64);
    const mfs = await context.connect();
    if (sources[0] === '-') await putStandardInput(context, mfs, destination);
    else {
      await copyTrees(context, {
        from: new LocalTree(context.signal),
        to: new RemoteTree(mfs, context.signal),
        sources: sources.map((source) => Buffer.from(source)),
        destination,
        recursive: context.flag('recursive'),
        shown: ({ to }) => to.toString(),
        transfer: ({ from, to, entry }) =>
          putFile(context, mfs, to, entry.mode & 0o777, () => createReadStream(from, { highWaterMark: PIECE })),
      });
    }
  },
};

async function putStandardInput(context: CommandContext, mfs: MooseFS, destination: Buffer): Promise<void> {
  const { progress, signal, stdin } = context;
  const there = await new RemoteTree(mfs, signal).look(destination, { follow: true });
  if (there?.kind === 'folder' || destination.at(-1) === 0x2f)
    throw Object.assign(failure('EISDIR', 'is a folder; what comes from standard input needs a name'), {
      path: destination.toString(),
    });
  progress.begin(destination.toString(), { total: undefined });
  try {
    await putFile(context, mfs, destination, STDIN_MODE, () => stdin);
  } catch (error) {
    context.failed(destination.toString(), error);
  }
  progress.end();
}

/** Writes one file. `open` gives its bytes. */
async function putFile(
  context: CommandContext,
  mfs: MooseFS,
  path: Buffer,
  mode: number,
  open: () => Readable,
): Promise<void> {
  const { signal, progress } = context;
  const hash = context.flag('verify') ? createHash('md5') : undefined;
  let bytes = 0;
  let replication: readonly ChunkReplication[] = [];
  let verification: FileVerification | undefined;
  await replaceRemoteFile(
    mfs,
    path,
    {
      mode,
      storageClass: context.value('storage-class'),
      signal,
      onTemporary: (temporary) => context.alias(temporary, path.toString()),
    },
    async (handle, temporary) => {
      const stream = handle.createWriteStream({ signal });
      await pipeline(open(), counter(progress, hash), stream, { signal });
      bytes = stream.bytesWritten;
      replication = stream.replication;
      if (hash !== undefined) verification = await prove(context, mfs, { path, temporary, sent: hash.digest('hex') });
    },
  );
  if (context.output.isJson) {
    await context.output.json({
      path: path.toString(),
      bytes,
      replication,
      ...(verification !== undefined && { md5: verification.digests[0], replicasVerified: replicasOf(verification) }),
    });
  }
}

const replicasOf = ({ chunks }: FileVerification): number =>
  chunks.reduce((sum, { replicas }) => sum + replicas.filter(({ ok }) => ok).length, 0);

/** Reads every replica and compares it with the digest of what was sent. */
async function prove(
  { signal, differs, progress }: CommandContext,
  mfs: MooseFS,
  { path, temporary, sent }: { path: Buffer; temporary: Buffer; sent: string },
): Promise<FileVerification> {
  const onProgress = added(progress, (total) => progress.secondPass(`verifying ${path.toString()}`, total));
  const found = await mfs.verify(temporary, { method: 'md5', signal, onProgress });
  if (found.ok && found.digests.every((digest) => digest === sent)) return found;
  differs();
  const bad = found.chunks
    .flatMap((chunk) => chunk.replicas.filter(({ ok }) => !ok).map(({ host, port }) => `${host}:${port}`))
    .filter((server, i, all) => all.indexOf(server) === i);
  throw failure(
    'EIO',
    `what was read back differs from what was sent${bad.length === 0 ? '' : ` (${bad.join(', ')})`}; the file was not put in place`,
  );
}
