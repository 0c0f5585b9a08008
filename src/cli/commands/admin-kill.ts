import { type Invocation, json, type Output, printed } from '../invocation.ts';
import { readReason } from '../option-values.ts';

export async function run({ values, format, call }: Invocation): Promise<Output> {
  const { processes } = await call('admin.kill', readReason('admin-kill', values.reason));
  if (format === 'json') return printed(json(processes));
  if (processes.length === 0) return printed('no admin action is running\n');
  const pids = processes.map(({ pid }) => pid).join(', ');
  return printed(`killed: ${pids}\n`);
}
