import type { ResultOf } from '../../rpc/contract.ts';
import { type Invocation, type Output, printed } from '../invocation.ts';
import { readCount, readIntervalMs } from '../option-values.ts';
import { renderTop, topRows } from '../render-top.ts';
import { sampleUsage } from '../sample-usage.ts';

export async function run({
  operands,
  values,
  format,
  terminal,
  call,
  write,
}: Invocation): Promise<Output> {
  const intervalMs = readIntervalMs('top', values['interval-ms']);
  const limit =
    values.iterations === undefined ? null : readCount('top', '-n', values.iterations, 1);
  if (!(await write(''))) return printed('');
  const version: ResultOf<'daemon.version'> = await call('daemon.version', {});
  let left = limit ?? Number.POSITIVE_INFINITY;
  for await (const samples of sampleUsage(call, operands, intervalMs)) {
    const { services } = await call('status.brief', { names: [...operands] });
    const rows = topRows(services, samples);
    const text =
      format === 'json'
        ? `${JSON.stringify(rows)}\n`
        : `${renderTop(rows, version, Date.now(), terminal)}\n`;
    left -= 1;
    if (!(await write(text)) || left <= 0) break;
  }
  return printed('');
}
