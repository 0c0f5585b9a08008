import { setTimeout as delay } from 'node:timers/promises';
import { usageRates } from '../rpc/usage-rates.ts';
import type { UsageRow } from '../rpc/usage-rows.ts';
import type { Call } from './invocation.ts';
import type { UsageSample } from './render-usage.ts';

/**
 * What services use, sample after sample, each over an interval: what was used is the difference of two
 * readings, so the first comes after the first interval.
 * @throws ProcessmasterError `not_found` for a name or pattern that means nothing
 */
export async function* sampleUsage(
  call: Call,
  names: readonly string[],
  intervalMs: number,
): AsyncGenerator<readonly UsageSample[]> {
  const read = async () => (await call('usage', { names })).services;
  for (let before = await read(); ; ) {
    await delay(intervalMs);
    const after = await read();
    yield withRates(before, after);
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
