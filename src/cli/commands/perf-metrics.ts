import { type Invocation, type Output, printed } from '../invocation.ts';
import { readIntervalMs } from '../option-values.ts';
import { renderUsage } from '../render-usage.ts';
import { sampleUsage } from '../sample-usage.ts';

export async function run({
  operands,
  values,
  format,
  terminal,
  call,
  write,
}: Invocation): Promise<Output> {
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
