import { type Invocation, json, type Output, printed } from '../invocation.ts';
import { readCount, readSinceMs } from '../option-values.ts';
import { renderHistory } from '../render-jobs.ts';

export async function run({
  operands,
  values,
  format,
  terminal,
  call,
}: Invocation): Promise<Output> {
  const since_ms = readSinceMs('history', values.since, Date.now());
  const limit = readCount('history', '-n', values.lines, since_ms === null ? 50 : 10_000);
  const query = { name: operands[0] ?? null, since_ms, failed: values.failed === true, limit };
  const { slots } = await call('jobs.history', query);
  return printed(format === 'json' ? json(slots) : renderHistory(slots, terminal));
}
