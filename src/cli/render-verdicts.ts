import { formatProblem } from '../model/desired.ts';
import type { FileVerdict } from '../sources/validate-files.ts';
import { oneLine } from './text.ts';

/** Every problem, one a line, as compilers print them. */
export function renderVerdicts(verdicts: readonly FileVerdict[]): string {
  return verdicts
    .flatMap(({ problems }) => problems.map((problem) => `${oneLine(formatProblem(problem))}\n`))
    .join('');
}

/** How it went, for stderr. */
export function summaryOf(verdicts: readonly FileVerdict[]): string {
  const invalid = verdicts.filter(({ problems }) => problems.length > 0);
  const files = counted(verdicts.length, 'file');
  if (invalid.length === 0) return `${files}: all valid\n`;
  const problems = invalid.reduce((sum, verdict) => sum + verdict.problems.length, 0);
  return `${files}: ${invalid.length} invalid, ${counted(problems, 'problem')}\n`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
