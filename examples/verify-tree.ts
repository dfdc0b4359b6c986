/**
 * npm run example -- examples/verify-tree.ts [REMOTE [REPORT]]
 *
 * Reads every replica of every file below a folder by itself, and writes REPORT.json and REPORT.html (default: verify-report in the
 * folder for temporary files). Exit status 1 when a replica differs or cannot be read.
 */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PQueue from 'p-queue';
import type { FileVerification, MooseFS } from '../src/index.ts';
import { connect, folderWithCopies } from './connect.ts';

const AT_ONCE = 4;

interface Line {
  readonly path: string;
  readonly ok: boolean;
  readonly size: number;
  readonly digests: readonly string[];
  readonly replicas: readonly { chunk: number; server: string; state: string; digest: string | null; ok: boolean }[];
}

async function* files(mfs: MooseFS, folder: string): AsyncGenerator<string> {
  for (const entry of await mfs.readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(mfs, path);
    else if (entry.isFile()) yield path;
  }
}

function lineOf(path: string, { ok, length, digests, chunks }: FileVerification): Line {
  const replicas = chunks.flatMap(({ index, replicas: found }) =>
    found.map(({ host, port, state, digest, ok: good }) => ({
      ...{ chunk: index, server: `${host}:${port}`, state, digest: digest ?? null, ok: good },
    })),
  );
  return { path, ok, size: length, digests: digests.map(String), replicas };
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[character]!);

function html(title: string, lines: readonly Line[]): string {
  const mark = (ok: boolean): string => `<td class="${ok ? 'good' : 'bad'}">${ok ? '✔ yes' : '✘ no'}</td>`;
  const rows = lines.flatMap(({ path, replicas }) =>
    replicas.map(
      ({ chunk, server, state, digest, ok }) =>
        `<tr><td>${escaped(path)}</td><td>${chunk}</td><td>${server}</td><td><code>${digest ?? escaped(state)}</code></td>${mark(ok)}</tr>`,
    ),
  );
  const bad = lines.filter(({ ok }) => !ok).length;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; margin: 1rem; color-scheme: light dark }
.table { overflow-x: auto }
table { border-collapse: collapse }
th, td { text-align: left; padding: 0.2rem 0.8rem 0.2rem 0; border-bottom: 1px solid #8888 }
.good { color: light-dark(#15692b, #6fd088) }
.bad { color: light-dark(#b3201a, #ff8a80) }
</style>
<h1>${escaped(title)}</h1>
<p class="${bad === 0 ? 'good' : 'bad'}">${lines.length} files, ${rows.length} replicas, ${bad} files with a difference</p>
<div class="table"><table>
<thead><tr><th>File<th>Chunk<th>Replica at<th>md5<th>Equal</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div>
</html>
`;
}

await using connected = await connect();
const { mfs } = connected;
const [folder = '/verify-tree', report = join(tmpdir(), 'verify-report')] = process.argv.slice(2);
if (process.argv.length < 3) {
  await folderWithCopies(mfs, folder, 2);
  for (const name of ['elk', 'moose', 'rein <deer>']) await mfs.writeFile(`${folder}/${name}.txt`, name.repeat(50_000));
}
const queue = new PQueue({ concurrency: AT_ONCE });
const lines: Line[] = [];
for await (const path of files(mfs, folder)) {
  // Not all names of a large tree at once.
  await queue.onSizeLessThan(AT_ONCE);
  void queue.add(async () => lines.push(lineOf(path, await mfs.verify(path, { method: 'md5' }))));
}
await queue.onIdle();
lines.sort((a, b) => (a.path < b.path ? -1 : 1));
const ok = lines.every((line) => line.ok);
await writeFile(`${report}.json`, JSON.stringify({ folder, version: mfs.serverVersion, ok, files: lines }, null, 2));
await writeFile(`${report}.html`, html(`Replicas below ${folder}`, lines));
console.log(`${lines.length} files, ${ok ? 'all replicas agree' : 'REPLICAS DIFFER'}: ${report}.json, ${report}.html`);
if (!ok) process.exitCode = 1;
