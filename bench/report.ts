import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, release, totalmem } from 'node:os';
import { isErrno } from '../src/lib/errors.ts';
import { GOALS, type Goal, reached } from './goals.ts';
import type { Options } from './options.ts';
import type { Peer } from './peer.ts';
import { BARE_NODE, METRICS, type Metric, type Samples, type Subject } from './samples.ts';

export const HEADING = '## processmaster, supervisord and pm2 with `sleep infinity` × N';

const LABELS: Readonly<Record<Metric, string>> = {
  spawnMs: 'all processes run, ms',
  privateDirtyMib: 'memory of its own (dirty), MiB',
  rssMib: 'RSS, MiB',
  statusMs: '`status`, ms',
  restartMs: 'restart after kill -9, ms',
  idleCpuMs: 'CPU while idle, ms per 30 s',
};

/** The section of RESULTS.md: how it was measured, the medians, the ratios beside their goals. */
export function report(options: Options, peers: readonly Peer[], samples: Samples): string {
  const tables = options.counts.map((count) => medians(count, peers, samples));
  return [HEADING, how(options, peers), ...tables, goals(options, samples)].join('\n\n');
}

/** Puts a section in the place of the one with the same heading, or at the end. */
export function writeSection(path: string, section: string): void {
  const [first = '', ...rest] = contentOf(path).split(/^(?=## )/m);
  const heading = section.split('\n')[0] ?? '';
  const others = rest.filter((text) => !text.startsWith(`${heading}\n`));
  const parts = [first, ...others, section].map((text) => text.trim()).filter(Boolean);
  writeFileSync(path, `${parts.join('\n\n')}\n`);
}

function how({ counts, rounds, idleSeconds }: Options, peers: readonly Peer[]): string {
  const versions = peers.map(({ name, version }) => `${name} ${version}`).join(', ');
  const kernel = release().split('.').slice(0, 2).join('.');
  const memoryGib = Math.round(totalmem() / 2 ** 30);
  return `Command: \`npm run bench -- --n ${counts} --peers ${peers.map(({ name }) => name)} --rounds ${rounds} --idle-seconds ${idleSeconds}\`

${versions}; Node ${process.versions.node} for all that runs on Node. Linux ${kernel}, ${availableParallelism()} cores, ${memoryGib} GiB, ${new Date().toISOString().slice(0, 10)}.

Medians of ${rounds} rounds. In each round the peers start one after the other, in rotating order, and
then all run at once, so that idle CPU covers the same ${idleSeconds} seconds for all and \`status\` and kills alternate
between them. Every peer captures both streams of every service. Processes are counted in /proc: children of the daemon that
have become \`sleep\`. Memory is summed over the daemon and whatever else it keeps beside the services; dirty is Private_Dirty
of smaps_rollup. CPU is that of the peer's cgroups. processmaster's runtime directory is on a tmpfs, as /run is by default; all else
(logs, journal) is on disk. supervisord notices an exit on its tick of one second.`;
}

function medians(count: number, peers: readonly Peer[], samples: Samples): string {
  const subjects: Subject[] = [...peers.map(({ name }) => name), BARE_NODE];
  const rows = METRICS.map((metric) => [
    LABELS[metric],
    ...subjects.map((subject) => figure(samples.median(metric, subject, count))),
  ]);
  return `### N = ${count}\n\n${table(['', ...subjects], rows)}`;
}

function goals({ counts }: Options, samples: Samples): string {
  const rows = GOALS.flatMap((goal) =>
    goal.counts
      .filter((count) => counts.includes(count))
      .map((count) => goalRow(goal, count, samples)),
  );
  return `### Goals\n\n${table(['figure', 'N', 'against', 'measured', 'goal', 'reached'], rows)}`;
}

function goalRow(goal: Goal, count: number, samples: Samples): string[] {
  const value = reached(goal, count, samples);
  const unit = goal.against === null ? '' : ' ×';
  return [
    LABELS[goal.metric],
    String(count),
    goal.against ?? 'none',
    value === null ? '' : `${figure(value)}${unit}`,
    `≤ ${goal.atMost}${unit}`,
    value === null ? 'not measured' : value <= goal.atMost ? 'yes' : '**no**',
  ];
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((cell, column) =>
    Math.max(3, cell.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(header), rule, ...rows.map(line)].join('\n');
}

// Three significant digits: more would be noise.
function figure(value: number | null): string {
  if (value === null) return '';
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '# Measurements\n';
    throw error;
  }
}
