import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../e2e/wait-for.ts';
import { command } from './command.ts';
import { define, inPhase, installUnit, UNIT, UNIT_CGROUP } from './unit.ts';

const INSTANCE = `${UNIT_CGROUP}/processmaster`;

beforeAll(async () => {
  await installUnit({ cgroup: 'memory_max: 1GiB, memory_swap_max: 256MiB, cpu_max: 1.5' });
  await command(`systemctl start ${UNIT}`);
});

afterAll(async () => {
  await command(`systemctl stop ${UNIT}`);
});

describe('limits', () => {
  it('of the instance and of a service are in the kernel, all of them', async () => {
    define(
      'all',
      'sleep 100000',
      `resources:
  max_cpu: 1.5
  max_memory: 64MiB
  memory_high: 48MiB
  max_swap: 0
  max_pids: 50
  cpu_weight: 50
  io_weight: 200
  io_bandwidth: [{device: /dev/vda, max_read_bytes_per_second: 10MB, max_write_iops: 100}]
  oom: process
`,
    );
    await inPhase('all', 'RUNNING');
    expect(read('memory.max')).toBe('1073741824');
    expect(read('memory.swap.max')).toBe('268435456');
    expect(read('cpu.max')).toBe('150000 100000');
    expect(read('pm-all/cpu.max')).toBe('150000 100000');
    expect(read('pm-all/memory.max')).toBe('67108864');
    expect(read('pm-all/memory.high')).toBe('50331648');
    expect(read('pm-all/memory.swap.max')).toBe('0');
    expect(read('pm-all/memory.oom.group')).toBe('0');
    expect(read('pm-all/pids.max')).toBe('50');
    expect(read('pm-all/cpu.weight')).toBe('50');
    expect(read('pm-all/io.max')).toMatch(/^\d+:\d+ rbps=10000000 wbps=max riops=max wiops=100$/);
    expect(read('pm-all/io.weight')).toBe('default 200');
    expect(await troubles('all')).toEqual([]);
  });

  it('change while the service runs, also back to none', async () => {
    const { pids } = await inPhase('all', 'RUNNING');
    define('all', 'sleep 100000', 'resources: {max_memory: 32MiB}\n');
    await command('pmctl update');
    await isWritten('pm-all/memory.max', '33554432');
    expect(read('pm-all/cpu.max')).toBe('max 100000');
    expect(read('pm-all/io.max')).toBe('');
    expect(read('pm-all/memory.oom.group')).toBe('1');
    expect((await inPhase('all', 'RUNNING')).pids).toEqual(pids);
    expect(await troubles('all')).toEqual([]);
  });

  it('that the kernel refuses are told with its error, and the service runs', async () => {
    define(
      'odd',
      'sleep 100000',
      'resources: {io_bandwidth: [{device: "250:250", max_read_iops: 1}, {device: /dev/null, max_read_iops: 1}]}\n',
    );
    await inPhase('odd', 'RUNNING');
    const [said] = await troubles('odd');
    expect(said).toMatch(/io\.max refuses '.*' for '250:250': ENODEV/);
    expect(said).toMatch(/'\/dev\/null': it is no block device/);
  });

  it('of the CPU hold: a tenth of a core is a tenth', async () => {
    define('spinner', 'while :; do :; done', 'resources: {max_cpu: 100m}\n');
    await inPhase('spinner', 'RUNNING');
    const before = usage('spinner');
    const share = await waitFor(
      () => {
        const now = usage('spinner');
        const tookMs = now.atMs - before.atMs;
        return tookMs >= 10_000 && (now.cpuMs - before.cpuMs) / tookMs;
      },
      { what: '10 s to go by', deadlineMs: 60_000 },
    );
    expect(share).toBeGreaterThan(0.07);
    expect(share).toBeLessThan(0.13);
  });

  it('of memory end all of a service that needs more, and it is told', async () => {
    const bystander = await inPhase('all', 'RUNNING');
    define(
      'hog',
      'sleep 1; exec tail /dev/zero',
      `resources: {max_memory: 64MiB, max_swap: 0}
restart_policy: {policy: never}
`,
    );
    const { last_exit } = await inPhase('hog', 'FAILED');
    expect(last_exit?.message).toMatch(
      /^OOMKilled: out of memory \(limit 64MiB, peak 6\d(\.\d)?MiB; killed: tail \(\d+\)\)$/,
    );
    const events = await command('pmctl events hog');
    expect(events).toMatch(/service\.oom-killed +supervisor +out of memory \(limit 64MiB/);
    expect(await command('pmctl why hog')).toMatch(/was OOMKilled: out of memory.*max_memory/s);
    expect((await inPhase('all', 'RUNNING')).pids).toEqual(bystander.pids);
  });

  it('of memory that end a job are in its history', async () => {
    define(
      'import',
      'sleep 1; exec tail /dev/zero',
      'resources: {max_memory: 64MiB, max_swap: 0}\n',
      'schedule: "0 0 29 2 *"',
    );
    await inPhase('import', 'SCHEDULED');
    await command('pmctl start import');
    await inPhase('import', 'SCHEDULED');
    expect(await command('pmctl history import')).toMatch(
      /failed .*6\d\.\d MiB +OOMKilled: out of memory \(limit 64MiB/,
    );
  });

  it('of memory end one process of a service that wants it so, which is named, and it lives on', async () => {
    define(
      'workers',
      '(sleep 3; exec tail /dev/zero) & sleep 100000',
      'resources: {max_memory: 64MiB, max_swap: 0, oom: process}\n',
    );
    const { main_pid } = await inPhase('workers', 'RUNNING');
    const isTold = async () => {
      const [row] = await rows('workers');
      return row?.conditions.find(({ type }) => type === 'OutOfMemory');
    };
    const told = await waitFor(isTold, { what: 'the killed worker', deadlineMs: 60_000 });
    expect(told.message).toMatch(/killed: tail \(\d+\)/);
    expect(await command('pmctl events workers')).toMatch(/oom-killed .*killed: tail/);
    expect((await inPhase('workers', 'RUNNING')).main_pid).toBe(main_pid);
  });

  it('are in force again after a crash of the daemon, which costs the unit its controllers', async () => {
    const { pids } = await inPhase('all', 'RUNNING');
    await command(`systemctl kill -s KILL --kill-who=main ${UNIT}`);
    await isWritten('pm-all/memory.max', '33554432', 60_000);
    expect(read('memory.max')).toBe('1073741824');
    expect((await inPhase('all', 'RUNNING')).pids).toEqual(pids);
  });
});

function read(file: string): string {
  return readFileSync(`${INSTANCE}/${file}`, 'utf8').trim();
}

async function isWritten(file: string, value: string, deadlineMs = 30_000): Promise<void> {
  const isSo = () => {
    try {
      return read(file) === value;
    } catch {
      // Without a controller there is no file.
      return false;
    }
  };
  await waitFor(isSo, { what: `${file} to be ${value}`, deadlineMs });
}

function usage(service: string): { readonly atMs: number; readonly cpuMs: number } {
  const [, microseconds] = /usage_usec (\d+)/.exec(read(`pm-${service}/cpu.stat`)) ?? [];
  return { atMs: performance.now(), cpuMs: Number(microseconds) / 1_000 };
}

/** What `pmctl status` says of limits that are not in force. */
async function troubles(service: string): Promise<readonly string[]> {
  const [row] = await rows(service);
  return (row?.conditions ?? [])
    .filter(({ type }) => type.startsWith('Limit'))
    .map(({ message }) => message);
}

interface Row {
  readonly conditions: readonly { readonly type: string; readonly message: string }[];
}

async function rows(service: string): Promise<readonly Row[]> {
  return JSON.parse(await command(`pmctl status ${service} --format json`)) as Row[];
}
