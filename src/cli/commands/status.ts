/** mfs status: the cluster on one screen. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterServer, ClusterStatus, ServerDisks } from '../../index.ts';
import { jsonOption } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import { fullTime } from '../modes.ts';
import { metricLines } from '../prometheus.ts';
import { errorText, isAbort, UsageError } from '../status.ts';
import { statusMetrics } from '../status-metrics.ts';
import { Table } from '../table.ts';
import { countText, safeText, shortSizeText } from '../text.ts';

const DEFAULT_INTERVAL_S = 2;
const LONGEST_INTERVAL_S = 86_400;
/** Cursor to the top left corner, everything from there on erased. */
const CLEAR_SCREEN = '\u001b[H\u001b[2J';

export const status: Command = {
  name: 'status',
  summary: 'the state of the cluster: space, chunks, servers, disks, sessions',
  description: [
    'Lines that begin with "!" say what wants to be looked at: chunkservers that are gone, chunks that are missing or have one copy ' +
      'left, disks with errors, metadata that could not be saved.',
    'With --prometheus in the text format of its exporters, made for a timer and the textfile collector.',
  ],
  arguments: [],
  options: [
    { name: 'watch', short: 'w', help: 'again and again, until it is interrupted' },
    { name: 'interval', value: 'SECONDS', help: `with --watch: seconds in between; default ${DEFAULT_INTERVAL_S}` },
    { name: 'prometheus', help: 'as metrics' },
    jsonOption,
  ],
  examples: [
    { line: 'mfs status --watch', does: 'as top does' },
    { line: 'mfs status --prometheus > /var/lib/node_exporter/moosefs.prom', does: 'for the textfile collector' },
  ],
  async run(context) {
    const { flag, number, signal } = context;
    if (flag('prometheus') && context.output.isJson) throw new UsageError('--json or --prometheus', 'status');
    const interval = number('interval', 1, LONGEST_INTERVAL_S) ?? DEFAULT_INTERVAL_S;
    if (!flag('watch')) return once(context);
    while (!signal.aborted) {
      try {
        await once(context);
      } catch (error) {
        // A master that is away is what is watched for.
        if (isAbort(error)) throw error;
        context.failed(undefined, error);
      }
      await sleep(1000 * interval, undefined, { signal });
    }
  },
};

async function once(context: CommandContext): Promise<void> {
  const { output, flag, signal } = context;
  const mfs = await context.connect();
  const found = await mfs.cluster.status({ signal });
  if (output.isJson) await output.json(jsonStatus(found));
  else if (flag('prometheus')) await output.lines(metricLines(statusMetrics(found)));
  else {
    const screen = statusLines(found);
    // In one piece, so that nothing flickers.
    const clear = flag('watch') && output.isTTY ? CLEAR_SCREEN : '';
    await output.lines([`${clear}${screen[0]!}`, ...screen.slice(1)]);
  }
}

const jsonStatus = (found: ClusterStatus): object => ({
  ...found,
  disks: found.disks.map(({ error, ...rest }) => ({
    ...rest,
    error: error === undefined ? undefined : errorText(error),
  })),
});

const percentText = (part: number, whole: number): string =>
  whole === 0 ? '-' : `${Math.round((100 * part) / whole)}%`;

/** The screen: what the cluster is, what is wrong, and its servers. */
export function statusLines({ at, info, servers, disks, chunks, sessions }: ClusterStatus): string[] {
  const used = info.totalBytes - info.freeBytes;
  const { all, regular } = chunks;
  const connected = sessions.filter((each) => each.connected).length;
  const openFiles = sessions.reduce((sum, each) => sum + each.openFiles, 0);
  const field = (name: string, text: string): string => `${name.padEnd(10)}${text}`;
  return [
    `mfs://${info.master}  MooseFS ${info.version}  ${fullTime(at)}`,
    field(
      'space',
      `${shortSizeText(used)} of ${shortSizeText(info.totalBytes)} used (${percentText(used, info.totalBytes)}), ` +
        `${shortSizeText(info.availableBytes)} available`,
    ),
    field(
      'contents',
      `${countText(info.files, 'file')}, ${countText(info.directories, 'folder')}, ${countText(info.chunks, 'chunk')}; ` +
        `trash: ${countText(info.trash.files, 'file')}, ${shortSizeText(info.trash.bytes)}`,
    ),
    field(
      'chunks',
      `${all.missing} missing, ${regular.endangered} endangered, ${regular.underGoal} under goal, ${regular.atGoal} as they should ` +
        `be, ${regular.overGoal} over goal${chunks.settled ? '' : ' (counting)'}`,
    ),
    field('master', `memory ${shortSizeText(info.memoryBytes)}; metadata ${metadataText(info.metadata)}`),
    field(
      'sessions',
      `${connected} connected, ${sessions.length - connected} lost; ${countText(openFiles, 'open file')}`,
    ),
    ...problemsOf({ at, info, servers, disks, chunks, sessions }).map((text) => `! ${text}`),
    '',
    ...serverTable(servers, disks),
  ];
}

const metadataText = (metadata: ClusterStatus['info']['metadata']): string =>
  metadata === undefined ? 'not saved yet' : `${metadata.ok ? 'saved' : 'NOT SAVED'} ${fullTime(metadata.savedAt)}`;

/** What wants to be looked at, the worst first. */
export function problemsOf({ info, servers, disks, chunks }: ClusterStatus): string[] {
  const name = ({ host, port }: ClusterServer) => `${host}:${port}`;
  const { all, regular } = chunks;
  return [
    ...(all.missing > 0 ? [`${countText(all.missing, 'chunk')} without a copy: files that cannot be read`] : []),
    ...(regular.endangered > 0 ? [`${countText(regular.endangered, 'chunk')} with one copy left`] : []),
    ...(info.metadata?.ok === false ? ['the master could not save its metadata'] : []),
    ...servers
      .filter((each) => !each.connected)
      .map((each) => `chunkserver ${name(each)} is not connected${each.maintenance ? ' (maintenance)' : ''}`),
    ...servers.filter((each) => each.overloaded).map((each) => `chunkserver ${name(each)} is overloaded`),
    ...disks.flatMap(({ server, disks: list, error }) => [
      ...(error === undefined ? [] : [`chunkserver ${server} does not tell its disks: ${errorText(error)}`]),
      ...list.filter((disk) => disk.damaged).map((disk) => `disk ${safeText(disk.path)} of ${server} is damaged`),
      ...list
        .filter((disk) => disk.lastError !== undefined && !disk.damaged)
        .map((disk) => `disk ${safeText(disk.path)} of ${server} had an error ${fullTime(disk.lastError!.at)}`),
    ]),
  ];
}

function serverTable(servers: readonly ClusterServer[], disks: readonly ServerDisks[]): string[] {
  const right = (title: string) => ({ title, align: 'right' }) as const;
  const columns = [
    { title: 'CHUNKSERVER' },
    { title: 'VERSION' },
    { title: 'LABELS' },
    { title: 'STATE' },
    right('CHUNKS'),
    right('USED'),
    right('TOTAL'),
    right('USE%'),
    right('LOAD'),
    { title: 'DISKS' },
  ];
  const rows = servers.map((each) => {
    const name = `${each.host}:${each.port}`;
    return [
      name,
      each.version,
      each.labels.join(','),
      stateText(each),
      String(each.chunks),
      shortSizeText(each.usedBytes),
      shortSizeText(each.totalBytes),
      percentText(each.usedBytes, each.totalBytes),
      String(each.load),
      disksText(disks.find(({ server }) => server === name)),
    ];
  });
  const table = new Table(columns, rows);
  return [table.head, ...rows.map((row) => table.row(row))];
}

const stateText = ({ connected, maintenance, overloaded }: ClusterServer): string =>
  !connected ? 'GONE' : maintenance ? 'maintenance' : overloaded ? 'overloaded' : 'ok';

function disksText(found: ServerDisks | undefined): string {
  if (found === undefined || found.error !== undefined) return '?';
  const { disks } = found;
  const parts = [
    [disks.filter((each) => each.damaged).length, 'damaged'],
    [disks.filter((each) => each.markedForRemoval).length, 'for removal'],
    [disks.filter((each) => each.scanned !== undefined).length, 'scanning'],
  ] as const;
  const special = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return [String(disks.length), ...special].join(', ');
}
