import { type Invocation, json, type Output, printed } from '../invocation.ts';
import { renderDescription } from '../render-description.ts';

export async function run({ operands, format, terminal, call }: Invocation): Promise<Output> {
  const description = await call('services.describe', { name: operands[0] ?? '' });
  if (format === 'text') return printed(renderDescription(description, terminal));
  const { warnings, ...shown } = description;
  // Machines read stdout; people still want to know.
  const stderr = warnings.map((text) => `pmctl: warning: ${text}\n`).join('');
  return { stdout: json(shown), stderr, exitCode: 0 };
}
