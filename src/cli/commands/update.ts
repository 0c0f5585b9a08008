import { type Invocation, json, type Output } from '../invocation.ts';
import { exitCodeOfUpdate, renderTroubles, renderUpdate } from '../render-update.ts';
import { UsageError } from '../usage-error.ts';

/** Reading ten thousand definitions takes seconds. */
const TIMEOUT_MS = 120_000;

export async function run(invocation: Invocation): Promise<Output> {
  const { values, format, call } = invocation;
  if (values['dry-run'] === true) {
    const diff = await import('./diff.ts');
    return diff.run(invocation);
  }
  if (values['exit-code'] === true) {
    throw new UsageError('update', "cannot use '--exit-code': it goes with --dry-run");
  }
  const report = await call('sources.update', { prune: values.prune === true }, TIMEOUT_MS);
  return {
    stdout: format === 'json' ? json(report) : renderUpdate(report),
    stderr: renderTroubles(report),
    exitCode: exitCodeOfUpdate(report),
  };
}
