import { COMPLETION_SCRIPTS } from '../completion-scripts.ts';
import { type Invocation, type Output, printed } from '../invocation.ts';
import { UsageError } from '../usage-error.ts';

export async function run({ operands: [shell = ''] }: Invocation): Promise<Output> {
  const script = Object.hasOwn(COMPLETION_SCRIPTS, shell) ? COMPLETION_SCRIPTS[shell] : undefined;
  if (script !== undefined) return printed(script);
  const known = Object.keys(COMPLETION_SCRIPTS).join(', ');
  throw new UsageError('completion', `cannot complete for '${shell}': expected one of ${known}`);
}
