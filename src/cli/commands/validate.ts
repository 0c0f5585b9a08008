import { CONFIG_KINDS, type ConfigKind } from '../../model/config-kind-names.ts';
import { problemRowOf } from '../../model/desired.ts';
import type { FileVerdict } from '../../sources/validate-files.ts';
import { type Invocation, json, type Output } from '../invocation.ts';
import { renderVerdicts, summaryOf } from '../render-verdicts.ts';
import { UsageError } from '../usage-error.ts';

const EXIT_INVALID = 9;

export async function run({ operands, values, format }: Invocation): Promise<Output> {
  const kind = readKind(values.kind);
  // A program of its own (dist/validate), as YAML and schemas are more than all the rest of pmctl.
  const { validateFiles } = await import('../../sources/validate-files.ts');
  const verdicts = validateFiles(operands, kind);
  const isValid = verdicts.every(({ problems }) => problems.length === 0);
  return {
    stdout: format === 'json' ? json(rowsOf(verdicts)) : renderVerdicts(verdicts),
    stderr: format === 'json' ? '' : summaryOf(verdicts),
    exitCode: isValid ? 0 : EXIT_INVALID,
  };
}

function rowsOf(verdicts: readonly FileVerdict[]) {
  return verdicts.flatMap(({ kind, problems }) =>
    problems.map((problem) => ({ ...problemRowOf(problem), kind })),
  );
}

function readKind(value: string | true | undefined): ConfigKind | null {
  if (value === undefined) return null;
  const kind = CONFIG_KINDS.find((known) => known === value);
  if (kind !== undefined) return kind;
  const expected = `expected ${CONFIG_KINDS.join(', ')}`;
  throw new UsageError('validate', `cannot use '--kind ${value}': ${expected}`);
}
