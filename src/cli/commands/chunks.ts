/** mfs chunks: where every chunk of a file and each of its replicas lies. */
import { jsonOption } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import type { ChunkInfo, ReplicaInfo } from '../../index.ts';
import { chunkIdText, jsonChunk, partText } from '../replicas.ts';
import { Table } from '../table.ts';
import { safeText } from '../text.ts';

const columns = [
  { title: 'CHUNK', align: 'right' },
  { title: 'ID' },
  { title: 'VERSION', align: 'right' },
  { title: 'LENGTH', align: 'right' },
  { title: 'REPLICA' },
  { title: 'STATE' },
  { title: 'SERVER' },
  { title: 'LABELS' },
  { title: 'PART' },
] as const;

export const chunks: Command = {
  name: 'chunks',
  summary: 'where every chunk and replica lies',
  description: ['What the master knows of each chunk of a file: its id and version, and each server that has it.'],
  arguments: [{ name: 'PATH', many: true, completes: 'remote' }],
  options: [jsonOption],
  async run(context) {
    const mfs = await context.connect();
    for (const [i, path] of context.arguments.entries()) {
      try {
        const found = await mfs.chunks(path, { signal: context.signal });
        if (context.output.isJson) for (const chunk of found) await context.output.json({ path, ...jsonChunk(chunk) });
        else await printTable(context, path, found, i > 0);
      } catch (error) {
        context.failed(path, error);
      }
    }
  },
};

async function printTable(
  { output, arguments: paths }: CommandContext,
  path: string,
  found: readonly ChunkInfo[],
  gap: boolean,
): Promise<void> {
  if (gap) await output.line('');
  if (paths.length > 1) await output.line(`${safeText(path)}:`);
  if (found.length === 0) {
    await output.line('no chunks: the file is empty');
    return;
  }
  const rows = found.flatMap(rowsOf);
  const table = new Table(columns, rows);
  await output.lines([table.head, ...rows.map((row) => table.row(row))]);
}

/** A row for each replica; what belongs to the chunk stands in the first. */
function rowsOf(chunk: ChunkInfo): string[][] {
  const own = [String(chunk.index), chunkIdText(chunk), String(chunk.version), String(chunk.length)];
  if (chunk.id === undefined) return [[String(chunk.index), 'hole', '', String(chunk.length), 'none: reads as zeros']];
  if (chunk.replicas.length === 0) return [[...own, 'none']];
  return chunk.replicas.map((replica, i) => [...(i === 0 ? own : ['', '', '', '']), ...replicaCells(replica)]);
}

const replicaCells = (replica: ReplicaInfo): string[] => [
  `${replica.host}:${replica.port}`,
  replica.state,
  replica.serverVersion ?? '',
  replica.labels.join(','),
  partText(replica),
];
