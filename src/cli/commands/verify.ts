/** mfs verify: proof that all replicas of files are equal. */
import type { FileVerification, MooseFS, ReplicaDigest, VerifyMethod } from '../../index.ts';
import PQueue from 'p-queue';
import { DEFAULT_JOBS, jobsOption, jsonOption, recursiveOption } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import { joinPath } from '../paths.ts';
import { chunkIdText, jsonChunk, partText } from '../replicas.ts';
import { errorText, failure } from '../status.ts';
import { Table } from '../table.ts';
import { added } from '../transfer.ts';
import { countText, safeText, widthOf } from '../text.ts';
import { RemoteTree } from '../trees.ts';

const DIGEST_COLUMNS = { checksums: 32, md5: 32, sha256: 64 };
/** `255.255.255.255:65535` */
const ADDRESS_COLUMNS = 21;
const LONGEST_NAME_COLUMN = 60;

export const verify: Command = {
  name: 'verify',
  summary: 'prove that all replicas of files are equal',
  description: [
    'Every replica is asked by itself. "checksums" compares the tables of checksums that the servers keep: no data moves, and bytes that went bad on a disk since they were written are not seen. "md5" and "sha256" read every byte of every replica from its own server.',
    'A replica that differs, cannot be read or is missing from its server is not ok, and the exit status is 3.',
  ],
  arguments: [{ name: 'PATH', many: true, completes: 'remote' }],
  options: [
    {
      name: 'method',
      short: 'm',
      value: 'METHOD',
      choices: ['checksums', 'md5', 'sha256'],
      help: 'how; default checksums',
    },
    recursiveOption,
    jobsOption,
    jsonOption,
  ],
  examples: [
    { line: 'mfs verify --method md5 /photos/photo.jpg', does: 'read every replica, and print the MD5 of each' },
    { line: 'mfs verify -r --json / | jq -c "select(.ok | not)"', does: 'all files; show those that are not well' },
  ],
  outlivesOutput: true,
  async run(context) {
    const method = (context.value('method') ?? 'checksums') as VerifyMethod;
    const jobs = context.number('jobs', 1, 64) ?? DEFAULT_JOBS;
    const mfs = await context.connect();
    const files = await filesOf(context, mfs);
    const report = new Report(context, method, files);
    const title = `verifying by ${method}`;
    context.progress.begin(title, { total: undefined, files: files.length });
    // How much there is to read of many files would have to be asked of the master first; of one, its first answer tells.
    const begin = files.length > 1 ? undefined : (total: number) => context.progress.secondPass(title, total);
    const queue = new PQueue({ concurrency: jobs });
    const results = files.map((file) => queue.add(() => verifyOne(context, mfs, file, { method, begin })));
    // In the order of the files, whichever was done first.
    for (const [i, result] of results.entries()) {
      const found = await result;
      if ('error' in found) context.failed(files[i]!.toString(), found.error);
      else await report.file(found);
    }
    context.progress.end();
    await report.summary();
  },
};

/** All files that the arguments name, folders with `-r`. */
async function filesOf(context: CommandContext, mfs: MooseFS): Promise<Buffer[]> {
  const tree = new RemoteTree(mfs, context.signal);
  const files: Buffer[] = [];
  for (const path of context.arguments) {
    try {
      const entry = await tree.look(Buffer.from(path), { follow: true });
      if (entry === undefined) throw failure('ENOENT', 'no such file or directory');
      if (entry.kind !== 'folder') files.push(Buffer.from(path));
      else if (context.flag('recursive')) await addFilesIn(tree, Buffer.from(path), files);
      else throw failure('EISDIR', 'is a folder; -r verifies all files in it');
    } catch (error) {
      context.failed(path, error);
    }
  }
  return files;
}

async function addFilesIn(tree: RemoteTree, folder: Buffer, files: Buffer[]): Promise<void> {
  for (const { name, kind } of await tree.list(folder)) {
    if (kind === 'file') files.push(joinPath(folder, name));
    else if (kind === 'folder') await addFilesIn(tree, joinPath(folder, name), files);
  }
}

async function verifyOne(
  { progress, signal }: CommandContext,
  mfs: MooseFS,
  file: Buffer,
  { method, begin }: { method: VerifyMethod; begin: ((total: number) => void) | undefined },
): Promise<FileVerification | { readonly error: unknown }> {
  try {
    signal.throwIfAborted();
    const found = await mfs.verify(file, { method, signal, onProgress: added(progress, begin) });
    progress.fileDone();
    return found;
  } catch (error) {
    return { error };
  }
}

/** What is printed, and what it comes to. */
class Report {
  readonly #context: CommandContext;
  readonly #table: Table;
  #isBegun = false;
  readonly #count = { files: 0, chunks: 0, replicas: 0, bad: 0 };

  constructor(context: CommandContext, method: VerifyMethod, files: readonly Buffer[]) {
    this.#context = context;
    const names = files.map((file) => widthOf(safeText(file.toString())));
    this.#table = new Table([
      { title: 'FILE', width: Math.min(LONGEST_NAME_COLUMN, Math.max(0, ...names)) },
      { title: 'CHUNK', align: 'right' },
      { title: 'REPLICA', width: ADDRESS_COLUMNS },
      { title: 'DIGEST', width: DIGEST_COLUMNS[method] },
      { title: 'OK' },
    ]);
  }

  async file(found: FileVerification): Promise<void> {
    const { output, differs } = this.#context;
    if (!found.ok) differs();
    this.#count.files++;
    if (!found.ok) this.#count.bad++;
    this.#count.chunks += found.chunks.length;
    this.#count.replicas += found.chunks.reduce((sum, { replicas }) => sum + replicas.length, 0);
    this.#context.progress.clear();
    try {
      if (output.isJson) await output.json({ ...found, chunks: found.chunks.map(jsonChunk) });
      else await output.lines([...this.#head(), ...this.#rows(found)]);
    } catch (error) {
      // Nobody reads any more; the exit status still counts.
      this.#context.failed(undefined, error);
    }
  }

  #head(): string[] {
    if (this.#isBegun) return [];
    this.#isBegun = true;
    return [this.#table.head];
  }

  #rows({ path, chunks, digests, ok }: FileVerification): string[] {
    const name = safeText(path);
    const row = (chunk: string, replica: string, digest: string, verdict: string) =>
      this.#table.row([name, chunk, replica, digest, this.#coloured(verdict)]);
    if (chunks.length === 0) return [row('-', 'empty file', '', 'ok')];
    const rows = chunks.flatMap((chunk) => {
      const index = String(chunk.index);
      if (chunk.id === undefined) return [row(index, 'hole', 'reads as zeros', 'ok')];
      if (chunk.replicas.length === 0)
        return [row(index, 'none', '', `NO: chunk ${chunkIdText(chunk)} is on no server`)];
      return chunk.replicas.map((replica) =>
        row(index, `${replica.host}:${replica.port}`, replica.digest ?? '-', verdictOf(replica)),
      );
    });
    if (chunks.length < 2 || digests.length === 0) return rows;
    const same = new Set(digests).size === 1 && ok ? 'ok' : 'DIFFERS';
    return [...rows, ...digests.map((digest, i) => row('all', `copy ${i + 1}`, digest, same))];
  }

  #coloured(verdict: string): string {
    if (!this.#context.output.isTTY) return verdict;
    return `\u001b[${verdict === 'ok' ? 32 : 31}m${verdict}\u001b[39m`;
  }

  async summary(): Promise<void> {
    const { files, chunks, replicas, bad } = this.#count;
    if (this.#context.output.isJson || files === 0) return;
    const counted = [countText(files, 'file'), countText(chunks, 'chunk'), countText(replicas, 'replica')].join(', ');
    const verdict = bad === 0 ? 'all equal' : `${countText(bad, 'file')} NOT OK`;
    await this.#context.output.line(`${counted}: ${verdict}`);
  }
}

/** `ok`, or what is wrong. */
function verdictOf(replica: ReplicaDigest): string {
  if (replica.ok) return 'ok';
  if (replica.error !== undefined) return `NO: ${errorText(replica.error)}`;
  if (replica.state !== 'valid') return `NO: ${replica.state}`;
  return `DIFFERS${partText(replica) === '' ? '' : ` (${partText(replica)})`}`;
}
