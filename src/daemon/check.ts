import { judgeDirectory } from '../host/own-directory.ts';
import { journalTrouble } from '../journal/journal-database.ts';
import { readInstant, systemClock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { neutralise } from '../lib/neutralise.ts';
import type { DaemonConfig, SourceConfig } from '../model/daemon-config.ts';
import { definitionProblems } from '../model/definition-problems.ts';
import { formatProblem, type Problem, problemRowOf } from '../model/desired.ts';
import { readDaemonConfig } from '../sources/daemon-config-file.ts';
import { sourcesOf } from './sources-of.ts';

export type CheckFormat = 'text' | 'json';

/**
 * `processmaster --check`: prints every problem of the master config and of every definition it
 * reaches (on stderr; as JSON, on stdout), and warns of a state directory that the daemon would do
 * without. Touches nothing and needs no rights but to read. Returns the exit code.
 */
export function check(configPath: string, format: CheckFormat): number {
  const reading = readDaemonConfig(configPath);
  if (reading.kind === 'valid') {
    for (const warning of stateWarnings(reading.config))
      process.stderr.write(`warning: ${warning}\n`);
  }
  const reached = reachedFrom(reading.kind === 'valid' ? reading.config : reading.sources);
  const problems = [...(reading.kind === 'valid' ? [] : reading.problems), ...reached.problems];
  if (format === 'json') {
    process.stdout.write(`${JSON.stringify(problems.map(problemRowOf), null, 2)}\n`);
  } else if (problems.length > 0) {
    for (const problem of problems)
      process.stderr.write(`${neutralise(formatProblem(problem), { colours: false })}\n`);
  } else {
    process.stdout.write(`${reading.file}: ok, ${reached.count} services\n`);
  }
  return problems.length === 0 ? 0 : 1;
}

/** The definitions in all sources: how many, and what is wrong with them or with a source. */
function reachedFrom(config: SourceConfig): {
  readonly count: number;
  readonly problems: readonly Problem[];
} {
  const now = readInstant(systemClock);
  const contents = sourcesOf(config).map(({ source, path }) => ({
    path,
    content: source.read(now, { settled: true }).content,
  }));
  const unavailable = contents.flatMap(({ path, content }) =>
    content.kind === 'unavailable' ? [unavailableSource(path, content.reason)] : [],
  );
  const definitions = contents.flatMap(({ content }) =>
    content.kind === 'read' ? content.definitions : [],
  );
  return {
    count: definitions.length,
    problems: [...unavailable, ...definitionProblems(definitions)],
  };
}

function unavailableSource(file: string, message: string): Problem {
  return { file, line: null, column: null, keyPath: '', message };
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
