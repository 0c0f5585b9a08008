import { setTimeout as delay } from 'node:timers/promises';
import { usageRates } from '../../rpc/usage-rates.ts';
import type { UsageRow } from '../../rpc/usage-rows.ts';
import { type Invocation, type Output, printed } from '../invocation.ts';
import { readIntervalMs } from '../option-values.ts';
import { renderUsage, type UsageSample } from '../render-usage.ts';

/** What was used is known from the second reading on: the first is printed by nobody. */
export async function run({
  operands,
  values,
  format,
  terminal,
  call,
  write,
}: Invocation): Promise<Output> {
  const intervalMs = readIntervalMs('perf-metrics', values['interval-ms']);
  const read = async () => (await call('usage', { names: [...operands] })).services;
  if (!(await write(''))) return printed('');
  for (let before = await read(); ; ) {
    await delay(intervalMs);
    const after = await read();
    const samples = withRates(before, after);
    const text =
      format === 'json' ? `${JSON.stringify(samples)}\n` : renderUsage(samples, terminal);
    if (values.once === true) return printed(text);
    if (!(await write(format === 'json' ? text : `${text}\n`))) return printed('');
    before = after;
  }
}

function withRates(
  before: readonly UsageRow[],
  after: readonly UsageRow[],
): readonly UsageSample[] {
  const byName = new Map(before.map((row) => [row.application, row]));
  return after.map((row) => ({ ...row, ...usageRates(byName.get(row.application), row) }));
}
