import { type Invocation, json, type Output } from '../invocation.ts';
import { exitCodeOfUpdate, renderTroubles, renderUpdate } from '../render-update.ts';

/** Reading ten thousand definitions takes seconds. */
const TIMEOUT_MS = 120_000;

export async function run({ values, format, call }: Invocation): Promise<Output> {
  const report = await call('sources.update', { prune: values.prune === true }, TIMEOUT_MS);
  return {
    stdout: format === 'json' ? json(report) : renderUpdate(report),
    stderr: renderTroubles(report),
    exitCode: exitCodeOfUpdate(report),
  };
}
