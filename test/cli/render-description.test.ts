import { expect, test } from 'vitest';
import { renderDescription } from '../../src/cli/render-description.ts';
import type { Description } from '../../src/rpc/description.ts';
import { NOON, row, view } from './rows.ts';

const description: Description = {
  service: row(),
  spec: [
    { key: 'description', value: '', line: null },
    { key: 'process.user', value: null, line: null },
    { key: 'process.start_command', value: ['./run.sh', 'a b'], line: 12 },
    { key: 'process.environment', value: [{ name: 'TOKEN', value: '***' }], line: 13 },
  ],
  runs: [
    { run: 3, started_at_ms: NOON, ended_at_ms: null, duration_ms: null, reason: null, exit: null },
    {
      run: 2,
      started_at_ms: NOON - 60_000,
      ended_at_ms: NOON - 1_000,
      duration_ms: 59_000,
      reason: 'it is enabled',
      exit: { kind: 'exited', code: 3, signal: null, message: 'exit code 3' },
    },
    { run: 1, started_at_ms: null, ended_at_ms: NOON, duration_ms: null, reason: null, exit: null },
  ],
  warnings: ['careful'],
};

test('a description is the detail, the definition and the runs', () => {
  const text = renderDescription(description, view());
  expect(text.startsWith('warning: careful\nweb  RUNNING\n')).toBe(true);
  expect(text.slice(text.indexOf('\ndefinition in force'))).toBe(`
definition in force
KEY                    LINE  VALUE
description               -  -
process.user              -  -
process.start_command    12  ["./run.sh","a b"]
process.environment      13  [{"name":"TOKEN","value":"***"}]

runs
RUN  STARTED              TOOK  END          STARTED BECAUSE
  3  2026-01-15 12:00:00     -  -            -
  2  2026-01-15 11:59:00  59 s  exit code 3  it is enabled
  1  -                       -  not known    -
`);
});

test('without a valid definition and without runs that is all', () => {
  const text = renderDescription({ ...description, spec: null, runs: [] }, view());
  expect(text.endsWith('\ndefinition in force\nnone\n')).toBe(true);
});

test('values cannot take over the terminal', () => {
  const evil = { key: 'process.environment', value: 'a\x1b[2Jb', line: null };
  expect(renderDescription({ ...description, spec: [evil] }, view())).not.toContain('\x1b');
});
