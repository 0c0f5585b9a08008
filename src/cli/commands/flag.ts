import { type Invocation, json, type Output } from '../invocation.ts';
import { readTtlMs } from '../option-values.ts';
import { exitCodeOfOutcomes, renderDone, renderNotDone } from '../render-outcomes.ts';

export async function run({ operands, values, format, call }: Invocation): Promise<Output> {
  const [service = '', ...flags] = operands;
  const ttl_ms = readTtlMs('flag', values.ttl);
  const { services } = await call('flags.set', { names: [service], flags, ttl_ms });
  const stdout = format === 'json' ? json(services) : renderDone(services);
  const stderr = renderNotDone('flag', services);
  return { stdout, stderr, exitCode: exitCodeOfOutcomes(services) };
}
