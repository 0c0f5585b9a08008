import { type Invocation, json, type Output, printed } from '../invocation.ts';
import { readReason } from '../option-values.ts';

export async function run({ operands, values, format, call }: Invocation): Promise<Output> {
  const [id = ''] = operands;
  const begun = await call('admin.run', { id, ...readReason('admin-run', values.reason) });
  if (format === 'json') return printed(json(begun));
  const { pid, stdout_path, stderr_path } = begun;
  return printed(`${id}: begun, pid ${pid}; output: ${stdout_path}, ${stderr_path}\n`);
}
