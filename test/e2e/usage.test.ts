import { readdirSync, readlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { UsageSample } from '../../src/cli/render-usage.ts';
import type { UsageHistoryRow } from '../../src/rpc/usage-rows.ts';
import { type Instance, startInstance } from './harness.ts';
import { waitFor } from './wait-for.ts';

/** The daemon lets go of what nobody asked about for ten seconds. */
const LET_GO_DEADLINE_MS = 40_000;

async function sampled(instance: Instance, ...args: string[]): Promise<readonly UsageSample[]> {
  const { stdout, stderr } = await instance.pmctl('perf-metrics', ...args, '--once', '-o', 'json');
  expect(stderr).toBe('');
  return JSON.parse(stdout) as readonly UsageSample[];
}

test('pmctl perf-metrics tells what services use; what is not counted here is blank', async () => {
  const instance = await startInstance();
  instance.defineScript('spinner', 'while :; do :; done');
  instance.defineScript('idler', 'exec sleep 1000');
  instance.defineScript('off', 'exec sleep 1000', { global: { enabled: false } });
  await instance.running('spinner', 1);
  await instance.running('idler', 1);
  await instance.phase('off', 'DISABLED');

  const samples = await sampled(instance, '--interval-ms', '2000');
  expect(samples.map(({ application }) => application)).toEqual(['idler', 'spinner']);
  const [idler, spinner] = samples;
  // Other tests may take their share of the cores.
  expect(spinner?.cpu_percent).toBeGreaterThan(20);
  expect(spinner?.cpu_percent).toBeLessThan(105);
  expect(idler?.cpu_percent).toBeLessThan(5);
  // No controller here counts these.
  for (const sample of samples) {
    expect(sample).toMatchObject({ run: 1, memory_bytes: null, pids: null, io_reads: null });
  }

  const { stdout } = await instance.pmctl(
    'perf-metrics',
    'spin*',
    '--once',
    '--interval-ms',
    '100',
  );
  expect(stdout).toMatch(/^NAME +CPU +THROTTLED +MEMORY/);
  expect(stdout).toMatch(/^spinner +\d+\.\d%/m);
  expect(stdout).not.toContain('idler');
  expect(stdout).not.toMatch(/\b0 B\b/);

  const unknown = await instance.pmctl('perf-metrics', 'spiner', '--once');
  expect([unknown.code, unknown.stderr]).toEqual([
    4,
    expect.stringContaining("did you mean 'spinner'"),
  ]);
  const interval = await instance.pmctl('perf-metrics', '--interval-ms', '5');
  expect([interval.code, interval.stderr]).toEqual([
    2,
    expect.stringContaining('from 100 to 3600000'),
  ]);
});

test('what is read for somebody who watches is let go of when nobody does', async () => {
  const instance = await startInstance();
  instance.defineScript('web', 'exec sleep 1000');
  await instance.running('web', 1);
  await sampled(instance);
  expect(gaugesOf(instance, 'web')).toContain('cpu.stat');
  // The one that stays tells the history whether anything happened.
  await waitFor(() => gaugesOf(instance, 'web').join() === 'cpu.stat', {
    what: 'the other gauges to be closed',
    deadlineMs: LET_GO_DEADLINE_MS,
  });
  // A new run has a new cgroup: its counts begin anew.
  await instance.pmctl('restart', 'web');
  const [sample] = await sampled(instance);
  expect(sample?.run).toBe(2);
  expect(sample?.cpu_us).toBeLessThan(1_000_000);
}, 60_000);

/** The kernel's files of a service that the daemon has open. */
function gaugesOf(instance: Instance, service: string): readonly string[] {
  const folder = `/proc/${instance.daemonPid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    const target = readlinkSync(`${folder}/${fd}`);
    const [, file] = target.split(`/pm-${service}/`);
    return file === undefined ? [] : [file];
  });
}

test('what services used is known afterwards, also by the next daemon', async () => {
  const instance = await startInstance();
  instance.defineScript('spinner', 'while :; do :; done');
  await instance.running('spinner', 1);
  const known = async () => {
    const { stdout } = await instance.pmctl(
      'perf-metrics',
      'spinner',
      '--since',
      '5m',
      '-o',
      'json',
    );
    const { series } = JSON.parse(stdout) as UsageHistoryRow;
    const values = series.find(({ field }) => field === 'cpu_percent')?.max ?? [];
    return Math.max(0, ...values.map((value) => value ?? 0));
  };
  await waitFor(async () => (await known()) > 20, {
    what: 'a sample of ten seconds',
    deadlineMs: LET_GO_DEADLINE_MS,
  });
  const text = await instance.pmctl('perf-metrics', 'spinner', '--since', '5m');
  expect(text.stdout).toMatch(/^FROM +CPU +MOST +THROTTLED/);
  expect(text.stdout).toMatch(/^20\d\d-\S+ \S+ +\d+\.\d% +\d+\.\d% .*\n/m);
  expect(text.stdout).not.toMatch(/\b0 B\b/);
  expect((await instance.pmctl('daemon', 'restart')).code).toBe(0);
  expect(await known()).toBeGreaterThan(20);

  expect(await instance.pmctl('perf-metrics', '--since', '5m')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('it needs the name of one service'),
  });
}, 90_000);

test('pmctl top -b -n 1 prints one screen, problems first', async () => {
  const instance = await startInstance();
  instance.defineScript('spinner', 'while :; do :; done');
  instance.defineScript('crasher', 'exit 3');
  await instance.running('spinner', 1);
  await instance.phase('crasher', 'BACKOFF');
  const { code, stdout } = await instance.pmctl('top', '-b', '-n', '1');
  expect(code).toBe(0);
  const lines = stdout.split('\n');
  expect(lines[0]).toMatch(/^processmaster \S+ {2}up \d+s/);
  expect(lines[1]).toMatch(/^2 services: /);
  expect(stdout).toMatch(/^spinner +RUNNING +\d+ +\d+\.\d/m);
  const json = await instance.pmctl('top', '-b', '-n', '2', '--interval-ms', '100', '-o', 'json');
  expect(
    json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).length),
  ).toEqual([2, 2]);
});
