import { neutralise } from '../lib/neutralise.ts';
import type { ResultOf } from '../rpc/contract.ts';
import type { Terminal } from './invocation.ts';

type LogFile = ResultOf<'logs.tail'>['files'][number];

/** Lines as they are (but harmless); under the file's name when there is more than one. Pure. */
export function renderLogs(files: readonly LogFile[], { colours }: Terminal): string {
  const filled = files.filter(({ lines }) => lines.length > 0);
  const blocks = filled.map(({ path, lines }) => {
    const text = lines.map((line) => `${neutralise(line, { colours })}\n`).join('');
    return filled.length > 1 ? `==> ${path} <==\n${text}` : text;
  });
  return blocks.join('\n');
}
