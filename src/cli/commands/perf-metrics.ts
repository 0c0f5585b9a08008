import { type Invocation, json, type Output, printed } from '../invocation.ts';
import { readCount, readIntervalMs, readSinceMs } from '../option-values.ts';
import { renderUsage } from '../render-usage.ts';
import { renderUsageHistory } from '../render-usage-history.ts';
import { sampleUsage } from '../sample-usage.ts';
import { UsageError } from '../usage-error.ts';

const POINTS = 30;

export async function run(invocation: Invocation): Promise<Output> {
  const { operands, values, format, terminal, call, write } = invocation;
  if (values.since !== undefined) return showPast(invocation);
  const intervalMs = readIntervalMs('perf-metrics', values['interval-ms']);
  if (!(await write(''))) return printed('');
  for await (const samples of sampleUsage(call, operands, intervalMs)) {
    const text =
      format === 'json' ? `${JSON.stringify(samples)}\n` : renderUsage(samples, terminal);
    if (values.once === true) return printed(text);
    if (!(await write(format === 'json' ? text : `${text}\n`))) break;
  }
  return printed('');
}

async function showPast({ operands, values, format, terminal, call }: Invocation): Promise<Output> {
  const [name] = operands;
  if (name === undefined || operands.length > 1) {
    throw new UsageError('perf-metrics', "cannot use '--since': it needs the name of one service");
  }
  const from_ms = readSinceMs('perf-metrics', values.since, Date.now());
  const points = readCount('perf-metrics', '--points', values.points, POINTS);
  const history = await call('usage.history', { name, from_ms, points });
  return printed(format === 'json' ? json(history) : renderUsageHistory(history, terminal));
}
