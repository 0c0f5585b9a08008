import { type Invocation, json, type Output, printed } from '../invocation.ts';
import { readCount } from '../option-values.ts';
import { renderLogs } from '../render-logs.ts';

export async function run(invocation: Invocation): Promise<Output> {
  const { operands, values, format, terminal, call } = invocation;
  const lines = readCount('logs', values.lines, 50);
  const { files } = await call('logs.tail', { name: operands[0] ?? '', lines });
  if (format === 'json') return printed(json(files));
  const stdout = renderLogs(files, terminal);
  const problems = files.flatMap(({ path, problem }) =>
    problem === undefined ? [] : [`pmctl: cannot show '${path}': ${problem}\n`],
  );
  if (problems.length > 0) return { stdout, stderr: problems.join(''), exitCode: 1 };
  const paths = files.map(({ path }) => path).join(', ');
  return { stdout, stderr: stdout === '' ? `pmctl: nothing yet in ${paths}\n` : '', exitCode: 0 };
}
