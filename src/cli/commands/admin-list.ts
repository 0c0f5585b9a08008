import { type Invocation, json, type Output, printed } from '../invocation.ts';
import { renderTable } from '../render-table.ts';
import { oneLine } from '../text.ts';

const COLUMNS = [
  { header: 'ACTION', shrinksTo: 8 },
  { header: 'LABEL', shrinksTo: 8 },
  { header: 'COMMAND', shrinksTo: 16 },
];

export async function run({ format, terminal, call }: Invocation): Promise<Output> {
  const { actions } = await call('admin.list', {});
  if (format === 'json') return printed(json(actions));
  if (actions.length === 0) return printed('the master config has no admin_actions\n');
  const rows = actions.map(({ id, label, command }) => ({
    cells: [oneLine(id), oneLine(label), oneLine(command.map(quoted).join(' '))],
  }));
  return printed(renderTable(COLUMNS, rows, terminal));
}

/** As a shell would need it, so that what belongs together is seen. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
