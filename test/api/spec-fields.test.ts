import { expect, test } from 'vitest';
import { specFields } from '../../src/api/spec-fields.ts';
import { job, spec } from '../builders/specs.ts';

const valuesOf = (changes: Parameters<typeof spec>[0]) =>
  Object.fromEntries(specFields(spec(changes)).map(({ key, value }) => [key, value]));

test('every key has its value, the defaults too', () => {
  expect(valuesOf({})).toMatchObject({
    'global.enabled': true,
    'process.working_directory': '/srv/web',
    'process.start_command': ['./run.sh'],
    'process.stop_signal': 'SIGTERM',
    'process.stop_grace_period_ms': 5_000,
    'process.user': null,
    'process.umask': '0022',
    'process.limits': {},
    'logs.stderr': '/srv/web/logs/stderr.log',
    'restart_policy.policy': 'always',
    'restart_policy.tolerance.max_restarts': 3,
    'restart_policy.tolerance.duration': '3m',
  });
});

test('values are written as files write them', () => {
  const values = valuesOf({
    stop: { kind: 'command', argv: ['/bin/end', 'it'] },
    limits: [
      { name: 'nofile', soft: 1024, hard: 1024 },
      { name: 'nproc', soft: 100, hard: null },
      { name: 'memlock', soft: null, hard: null },
    ],
  });
  expect(values).toMatchObject({
    'process.stop_command': ['/bin/end', 'it'],
    'process.limits': {
      nofile: 1024,
      nproc: { soft: 100, hard: 'unlimited' },
      memlock: 'unlimited',
    },
  });
  expect(values).not.toHaveProperty('process.stop_signal');
});

test('secrets of the environment are masked', () => {
  const environment = [
    { name: 'LANG', value: 'C' },
    { name: 'DB_PASSWORD', value: 'hunter2' },
  ];
  expect(valuesOf({ environment })['process.environment']).toEqual([
    { name: 'LANG', value: 'C' },
    { name: 'DB_PASSWORD', value: '***' },
  ]);
});

test('a job has its schedule, and no restart policy', () => {
  const values = valuesOf({ job: job({ jitterMs: 90_000, expectWithinMs: 86_400_000 }) });
  expect(values).toMatchObject({
    'process.schedule': '0 * * * *',
    'process.timezone': 'UTC',
    'process.max_time_per_run': 'never',
    'process.jitter': '1m30s',
    'process.retry_delay': '10s',
    'process.expect_within': '1d',
  });
  expect(values).not.toHaveProperty('restart_policy.policy');
  expect(valuesOf({})).not.toHaveProperty('process.schedule');
});
