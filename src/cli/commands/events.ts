import { type Invocation, json, type Output, printed } from '../invocation.ts';
import { readCount } from '../option-values.ts';
import { renderEvents } from '../render-events.ts';
import { renderFor } from '../view.ts';

export async function run(invocation: Invocation): Promise<Output> {
  const { operands, values, format, terminal, call } = invocation;
  const limit = readCount('events', values.lines, 200);
  const { events } = await call('events.list', { names: [...operands], limit });
  if (format === 'json') return printed(json(events));
  return printed(await renderFor(terminal, (view) => renderEvents(events, view)));
}
