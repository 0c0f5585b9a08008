import { type Invocation, json, type Output, printed } from '../invocation.ts';
import { renderWhy } from '../render-why.ts';

export async function run({ operands, format, terminal, call }: Invocation): Promise<Output> {
  const explanation = await call('services.why', { name: operands[0] ?? '' });
  return printed(format === 'json' ? json(explanation) : renderWhy(explanation, terminal));
}
