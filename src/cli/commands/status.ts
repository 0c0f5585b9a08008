import { type Invocation, json, type Output, printed } from '../invocation.ts';
import { renderDetail } from '../render-detail.ts';
import { renderStatus } from '../render-status.ts';

export async function run({ operands, format, terminal, call }: Invocation): Promise<Output> {
  // A name, not a pattern: the reader wants everything about that one.
  const [name, ...more] = operands;
  const isOne = name !== undefined && more.length === 0 && name !== 'all' && !/[*?[]/.test(name);
  const names = [...operands];
  if (format === 'text' && !isOne) {
    const { services, warnings } = await call('status.brief', { names });
    return printed(renderStatus(services, warnings, terminal));
  }
  const { services, warnings } = await call('status', { names, detail: true });
  if (format === 'text') {
    return printed(services.map((row) => renderDetail(row, warnings, terminal)).join('\n'));
  }
  // Machines read stdout; people still want to know.
  const stderr = warnings.map((text) => `pmctl: warning: ${text}\n`).join('');
  return { stdout: json(services), stderr, exitCode: 0 };
}
