import { type Invocation, json, type Output, printed } from '../invocation.ts';
import { readCount } from '../option-values.ts';
import { renderEvents } from '../render-events.ts';

export async function run(invocation: Invocation): Promise<Output> {
  const { operands, values, format, terminal, call } = invocation;
  const limit = readCount('events', values.lines, 200);
  const { events } = await call('events.list', { names: [...operands], limit });
  return printed(format === 'json' ? json(events) : renderEvents(events, terminal));
}
