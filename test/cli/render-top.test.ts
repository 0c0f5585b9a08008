import { expect, test } from 'vitest';
import { renderTop, topRows } from '../../src/cli/render-top.ts';
import type { UsageSample } from '../../src/cli/render-usage.ts';
import { row, view } from './rows.ts';

const VERSION = {
  build: { host: 'builder', time: 'then', version: '1.2.3' },
  pid: 1,
  started_at_ms: 0,
  uptime_ms: 11_520_000,
  socket: '/s',
};

// Nothing else of a sample is looked at.
const used = (application: string, cpu_percent: number | null, changes = {}) =>
  ({
    application,
    cpu_percent,
    memory_bytes: null,
    memory_limit_bytes: null,
    io_read_bytes_per_s: null,
    io_write_bytes_per_s: null,
    cpu_pressure: null,
    ...changes,
  }) as UsageSample;

test('problems first, then who uses most CPU, then by name', () => {
  const names = (phases: Readonly<Record<string, string>>, samples: readonly UsageSample[]) =>
    topRows(
      Object.entries(phases).map(([application, phase]) => row({ application, phase })),
      samples,
    ).map(({ service }) => service.application);
  expect(
    names({ b: 'RUNNING', a: 'RUNNING', hot: 'RUNNING', off: 'STOPPED', sick: 'FAILED' }, [
      used('a', 0),
      used('b', 0),
      used('hot', 90),
    ]),
  ).toEqual(['sick', 'hot', 'a', 'b', 'off']);
});

test('a screen: the daemon, the phases, a line for each service', () => {
  const rows = topRows(
    [
      row({ application: 'web', pids: [4_102, 4_103] }),
      row({ application: 'mailer', phase: 'BACKOFF', pids: [], next_start_in_ms: 8_000 }),
    ],
    [
      used('web', 12.34, {
        memory_bytes: 67_108_864,
        memory_limit_bytes: 134_217_728,
        io_read_bytes_per_s: 1_024,
        io_write_bytes_per_s: 512,
        cpu_pressure: { some_avg10: 1.25, full_avg10: 0, some_total_us: 0 },
      }),
    ],
  );
  const [head, ...rest] = renderTop(rows, VERSION, 0, view()).split('\n');
  expect(head).toMatch(/^processmaster 1\.2\.3 {2}up 3h12m {2}19\d\d-/);
  expect(rest.join('\n')).toBe(`2 services: 1 BACKOFF, 1 RUNNING
NAME    STATE        PID  CPU%       MEM  MEM%     IO/s  PSI10  RST
mailer  BACKOFF 8s     -     -         -     -        -      -  0
web     RUNNING     4102  12.3  64.0 MiB   50%  1.5 KiB    1.3  0
`);
});

test('what nobody counts here is blank', () => {
  const text = renderTop(topRows([row()], [used('web', 0)]), VERSION, 0, view());
  expect(text.split('\n')[3]).toMatch(/^web +RUNNING +\d+ +0\.0 +0$/);
});
