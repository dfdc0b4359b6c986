/** mfs quota: limits of folders. */
import type { Quota, QuotaAmounts, QuotaChanges, QuotaLimits } from '../../index.ts';
import { jsonOption } from '../command.ts';
import type { Command, CommandContext, OptionSpec } from '../command.ts';
import { wholeNumber } from '../command-line.ts';
import { eachPath } from '../each-path.ts';
import { UsageError } from '../status.ts';
import { Table } from '../table.ts';
import { safeText, shortSizeText } from '../text.ts';
import { parseSeconds, parseSize, secondsText } from '../units.ts';

const KEYS = ['inodes', 'length', 'size', 'realSize'] as const;
const titles: Readonly<Record<keyof QuotaAmounts, string>> = {
  inodes: 'inodes',
  length: 'length',
  size: 'size',
  realSize: 'real size',
};

const amountText = (key: keyof QuotaAmounts, value: number | undefined): string =>
  value === undefined ? '-' : key === 'inodes' ? String(value) : shortSizeText(value);

async function print({ output }: CommandContext, path: string, quota: Quota): Promise<void> {
  if (output.isJson) {
    await output.json({ path, ...quota });
    return;
  }
  const rows = KEYS.map((key) => [
    `  ${titles[key]}`,
    amountText(key, quota.current[key]),
    amountText(key, quota.soft[key]),
    amountText(key, quota.hard[key]),
  ]);
  const right = (title: string) => ({ title, align: 'right' }) as const;
  const table = new Table([{ title: '' }, right('used'), right('soft'), right('hard')], rows);
  const grace = quota.graceSeconds === 0 ? "the server's default" : secondsText(quota.graceSeconds);
  await output.lines([`${safeText(path)}: grace period ${grace}`, table.head, ...rows.map((row) => table.row(row))]);
}

const quotaGet: Command = {
  name: 'quota get',
  summary: 'how much may be in folders, and how much is',
  arguments: [{ name: 'PATH', many: true, completes: 'remote' }],
  options: [jsonOption],
  async run(context) {
    await eachPath(context, context.arguments, async (mfs, path) =>
      print(context, path, await mfs.quota.get(path, { signal: context.signal })),
    );
  },
};

const limitOptions: readonly OptionSpec[] = (['soft', 'hard'] as const).flatMap((kind) => [
  { name: `${kind}-inodes`, value: 'NUMBER', help: `${kind} limit of files and folders` },
  { name: `${kind}-length`, value: 'SIZE', help: `${kind} limit of the bytes of all files` },
  { name: `${kind}-size`, value: 'SIZE', help: `${kind} limit of the bytes of all chunks` },
  { name: `${kind}-real-size`, value: 'SIZE', help: `${kind} limit of the bytes on all disks` },
]);

const quotaSet: Command = {
  name: 'quota set',
  summary: 'limit how much may be in folders',
  description: [
    'A hard limit is never exceeded; a soft one may be for the grace period. The value "none" removes a limit, and what is not ' +
      'given stays as it is. For administrators: root, in an export that says "admin".',
  ],
  arguments: [{ name: 'PATH', many: true, completes: 'remote' }],
  options: [
    ...limitOptions,
    { name: 'grace', value: 'TIME', help: 'how long soft limits may be exceeded: 12h, 7d' },
    jsonOption,
  ],
  examples: [
    { line: 'mfs quota set --hard-length 10T --soft-length 9T --grace 7d /projects', does: 'ten terabytes at most' },
  ],
  async run(context) {
    const changes = { soft: limitsOf(context, 'soft'), hard: limitsOf(context, 'hard') };
    const grace = context.value('grace');
    const graceSeconds = grace === undefined ? undefined : parseSeconds(grace);
    if (grace === undefined && [changes.soft, changes.hard].every((each) => Object.keys(each).length === 0))
      throw new UsageError('which limit?', 'quota set');
    await eachPath(context, context.arguments, async (mfs, path) =>
      print(context, path, await mfs.quota.set(path, { ...changes, graceSeconds }, { signal: context.signal })),
    );
  },
};

function limitsOf({ value }: CommandContext, kind: 'soft' | 'hard'): QuotaChanges {
  const limits: { -readonly [K in keyof QuotaAmounts]?: number | null } = {};
  for (const key of KEYS) {
    const option = `${kind}-${key === 'realSize' ? 'real-size' : key}`;
    const text = value(option);
    if (text === undefined) continue;
    if (text === 'none') limits[key] = null;
    else limits[key] = key === 'inodes' ? wholeNumber(option, text, 0, 0xffff_ffff)! : parseSize(text);
  }
  return limits;
}

const quotaRemove: Command = {
  name: 'quota remove',
  summary: 'remove all limits of folders',
  arguments: [{ name: 'PATH', many: true, completes: 'remote' }],
  options: [],
  async run(context) {
    await eachPath(context, context.arguments, async (mfs, path) => {
      await mfs.quota.remove(path, { signal: context.signal });
    });
  },
};

const quotaList: Command = {
  name: 'quota list',
  summary: 'all quotas of the file system',
  arguments: [],
  options: [jsonOption],
  async run(context) {
    const { output } = context;
    const mfs = await context.connect();
    const found = await mfs.quota.list({ signal: context.signal });
    if (output.isJson) {
      for (const each of found) await output.json(each);
      return;
    }
    const limits = (given: QuotaLimits) =>
      KEYS.filter((key) => given[key] !== undefined)
        .map((key) => `${titles[key]} ${amountText(key, given[key])}`)
        .join(', ');
    const rows = found.map((each) => [
      safeText(each.path),
      limits(each.soft) || '-',
      limits(each.hard) || '-',
      each.exceeded
        ? 'exceeded'
        : each.blockedInSeconds === undefined
          ? 'ok'
          : `${secondsText(each.blockedInSeconds)} left`,
    ]);
    const table = new Table([{ title: 'FOLDER' }, { title: 'SOFT' }, { title: 'HARD' }, { title: 'STATE' }], rows);
    await output.lines([table.head, ...rows.map((row) => table.row(row))]);
  },
};

/** All of the group. */
export const quota: readonly Command[] = [quotaGet, quotaSet, quotaRemove, quotaList];
