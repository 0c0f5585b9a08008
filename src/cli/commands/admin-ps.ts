import { formatSpan } from '../format-time.ts';
import { type Invocation, json, type Output, printed } from '../invocation.ts';
import { renderTable } from '../render-table.ts';
import { oneLine } from '../text.ts';

const COLUMNS = [
  { header: 'PID', alignRight: true },
  { header: 'ACTION', shrinksTo: 8 },
  { header: 'UPTIME', alignRight: true },
  { header: 'COMMAND', shrinksTo: 16 },
];

export async function run({ format, terminal, call }: Invocation): Promise<Output> {
  const { processes } = await call('admin.ps', {});
  if (format === 'json') return printed(json(processes));
  if (processes.length === 0) return printed('no admin action is running\n');
  const rows = processes.map(({ pid, action, uptime_ms, command }) => ({
    cells: [String(pid), oneLine(action ?? '-'), formatSpan(uptime_ms), oneLine(command)],
  }));
  return printed(renderTable(COLUMNS, rows, terminal));
}
