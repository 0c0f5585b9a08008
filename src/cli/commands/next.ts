import { type Invocation, json, type Output, printed } from '../invocation.ts';
import { readCount } from '../option-values.ts';
import { renderNext } from '../render-jobs.ts';

export async function run({
  operands,
  values,
  format,
  terminal,
  call,
}: Invocation): Promise<Output> {
  const limit = readCount('next', '-n', values.lines, 10);
  const { slots } = await call('jobs.next', { name: operands[0] ?? null, limit });
  return printed(format === 'json' ? json(slots) : renderNext(slots, Date.now(), terminal));
}
