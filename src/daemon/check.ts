import { judgeDirectory } from '../host/own-directory.ts';
import { journalTrouble } from '../journal/journal-database.ts';
import { readInstant, systemClock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { DaemonConfig } from '../model/daemon-config.ts';
import { type DesiredState, formatProblem } from '../model/desired.ts';
import { readDaemonConfig } from '../sources/daemon-config-file.ts';
import { merge } from '../sources/merge.ts';
import { sourcesOf } from './sources-of.ts';

/**
 * `processmaster --check`: prints every problem of the master config and of every definition it
 * reaches, and warns of a state directory that the daemon would do without. Touches nothing and needs
 * no rights but to read. Returns the exit code.
 */
export function check(configPath: string): number {
  const reading = readDaemonConfig(configPath);
  if (reading.kind === 'invalid') return report(reading.problems.map(formatProblem), '');
  for (const warning of stateWarnings(reading.config))
    process.stderr.write(`warning: ${warning}\n`);
  const now = readInstant(systemClock);
  const readings = sourcesOf(reading.config).map(({ source }) => ({
    id: source.id,
    content: source.read(now, { settled: true }).content,
  }));
  const contents = new Map(readings.map(({ id, content }) => [id, content]));
  const desired = merge(null, contents, { prune: false, baseline: new Map() });
  const unavailable = readings.flatMap(({ content }) =>
    content.kind === 'unavailable' ? [content.reason] : [],
  );
  const count = [...desired.services.values()].filter(
    (service) => service.accepted !== null,
  ).length;
  return report(
    [...unavailable, ...problemsOf(desired)],
    `${reading.file}: ok, ${count} services\n`,
  );
}

/** The daemon runs all the same, in memory: no reason to fail. */
function stateWarnings({ stateDirectory }: DaemonConfig): readonly string[] {
  try {
    judgeDirectory(stateDirectory);
    const trouble = journalTrouble(stateDirectory);
    return trouble === null ? [] : [trouble];
  } catch (error) {
    return [messageOf(error)];
  }
}

function problemsOf(desired: DesiredState): readonly string[] {
  const problems = [...desired.services.values()].flatMap(({ name, trouble }) => {
    if (trouble?.kind === 'invalid') return trouble.problems.map(formatProblem);
    if (trouble?.kind === 'conflict')
      return [`'${name}' is defined more than once: ${trouble.files.join(', ')}`];
    return [];
  });
  return [...problems, ...desired.strayProblems.map(formatProblem)];
}

function report(problems: readonly string[], allWell: string): number {
  if (problems.length === 0) {
    process.stdout.write(allWell);
    return 0;
  }
  process.stderr.write(`${problems.join('\n')}\n`);
  return 1;
}
