import { type Invocation, json, type Output, printed } from '../invocation.ts';
import { renderDone } from '../render-outcomes.ts';

export async function run({ operands, format, call }: Invocation): Promise<Output> {
  const [service = '', ...flags] = operands;
  const { services } = await call('flags.clear', { names: [service], flags });
  return printed(format === 'json' ? json(services) : renderDone(services));
}
