/** The chart of a report: for each piece of work, how fast each client was relative to the faster of the two peers. */
import type { Report, Row } from './report.ts';

const CLIENTS = [
  { name: 'moosefs-client', color: '#2563eb' },
  { name: 'libmfsio', color: '#9ca3af' },
  { name: 'mfsmount', color: '#d1a054' },
] as const;

const LABELS = 330;
const PLOT = 520;
const BAR = 9;
const GAP = 12;
const TOP = 70;
const MARGIN = 60;

interface Bars {
  readonly label: string;
  readonly bars: readonly { readonly color: string; readonly relative: number; readonly text: string }[];
}

/** Speeds relative to the faster peer; a row without a peer shows nothing to compare and is left out. */
export function relativeBars(rows: readonly Row[]): Bars[] {
  return rows.flatMap((row) => {
    const peers = CLIENTS.slice(1).flatMap(({ name }) => row.clients[name]?.median ?? []);
    if (peers.length === 0) return [];
    const best = Math.max(...peers);
    const bars = CLIENTS.flatMap(({ name, color }) => {
      const client = row.clients[name];
      if (client === undefined) return [];
      return [{ color, relative: client.median / best, text: `${client.median.toPrecision(3)} ${row.unit}` }];
    });
    return [{ label: row.name, bars: bars.map((bar) => ({ ...bar, text: plain(bar.text) })) }];
  });
}

/** toPrecision writes large numbers with an exponent. */
function plain(text: string): string {
  return text.replace(/^\S+/, (digits) => String(Math.round(Number(digits) * 100) / 100));
}

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** An SVG picture. */
export function chart(report: Report): string {
  const groups = relativeBars(report.rows);
  const most = Math.max(1, ...groups.flatMap(({ bars }) => bars.map(({ relative }) => relative)));
  const scale = PLOT / most;
  let y = TOP;
  const drawn = groups.map(({ label, bars }) => {
    const top = y;
    const rects = bars.map(({ color, relative, text }) => {
      const width = Math.max(1, relative * scale).toFixed(1);
      const bar = `<rect x="${LABELS}" y="${y}" width="${width}" height="${BAR}" fill="${color}"/>`;
      const at = (LABELS + relative * scale + 4).toFixed(1);
      const caption = `<text x="${at}" y="${y + BAR - 1}" class="s">${relative.toFixed(2)} · ${escape(text)}</text>`;
      y += BAR + 2;
      return bar + caption;
    });
    const middle = (top + y) / 2 + 3;
    y += GAP;
    return `<text x="${LABELS - 8}" y="${middle}" text-anchor="end">${escape(label)}</text>${rects.join('')}`;
  });
  const one = (LABELS + scale).toFixed(1);
  const legend = CLIENTS.map(
    ({ name, color }, i) =>
      `<rect x="${LABELS + i * 150}" y="42" width="10" height="10" fill="${color}"/>` +
      `<text x="${LABELS + i * 150 + 15}" y="51">${name}</text>`,
  );
  const { machine } = report;
  const title = `MooseFS ${machine.servers}: speed relative to the faster of libmfsio and mfsmount`;
  const others = report.earlier?.length ? '; some of earlier runs' : '';
  const below = `${report.date.slice(0, 10)}, medians of ${report.runs}, ${machine.cores} cores, ${machine.kernel}, node ${machine.node}${others}`;
  const [width, height] = [LABELS + PLOT + 150, y + MARGIN / 2];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    '<style>text{font:12px system-ui,sans-serif;fill:#111}.s{font-size:9px;fill:#444}.t{font-size:15px;font-weight:600}</style>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="16" y="26" class="t">${escape(title)}</text>`,
    ...legend,
    `<line x1="${one}" y1="${TOP - 8}" x2="${one}" y2="${y}" stroke="#111" stroke-dasharray="3 3"/>`,
    ...drawn,
    `<text x="16" y="${height - 10}" class="s">${escape(below)}</text>`,
    '</svg>\n',
  ].join('\n');
}
