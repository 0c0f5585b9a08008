import { type Invocation, json, type Output } from '../invocation.ts';
import { renderDetail } from '../render-detail.ts';
import { renderStatus } from '../render-status.ts';
import { renderFor } from '../view.ts';

export async function run({ operands, format, terminal, call }: Invocation): Promise<Output> {
  // A name, not a pattern: the reader wants everything about that one.
  const [name, ...more] = operands;
  const isOne = name !== undefined && more.length === 0 && name !== 'all' && !/[*?[]/.test(name);
  const detail = format === 'json' || isOne;
  const { services, warnings } = await call('status', { names: [...operands], detail });
  const [only] = services;
  const stdout =
    format === 'json'
      ? json(services)
      : await renderFor(terminal, (view) =>
          isOne && only !== undefined
            ? renderDetail(only, warnings, view)
            : renderStatus(services, warnings, view),
        );
  // Machines read stdout; people still want to know.
  const stderr =
    format === 'json' ? warnings.map((text) => `pmctl: warning: ${text}\n`).join('') : '';
  return { stdout, stderr, exitCode: 0 };
}
