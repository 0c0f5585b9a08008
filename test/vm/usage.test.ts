import { unlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UsageSample } from '../../src/cli/render-usage.ts';
import type { UsageHistoryRow } from '../../src/rpc/usage-rows.ts';
import { waitFor } from '../e2e/wait-for.ts';
import { command } from './command.ts';
import { define, inPhase, installUnit, UNIT } from './unit.ts';

const MIB = 1_048_576;

beforeAll(async () => {
  await installUnit();
  await command(`systemctl start ${UNIT}`);
});

afterAll(async () => {
  await command(`systemctl stop ${UNIT}`);
});

async function sample(name: string, intervalMs = 5_000): Promise<UsageSample> {
  const text = await command(
    `pmctl perf-metrics ${name} --once -o json --interval-ms ${intervalMs}`,
  );
  const [first] = JSON.parse(text) as readonly UsageSample[];
  if (first === undefined) throw new Error(`nothing of ${name} runs`);
  return first;
}

describe('what services use, where every controller is', () => {
  it('a spinner: as much CPU as it may, throttled in most of its periods', async () => {
    define('spinner', 'while :; do :; done', 'resources: {max_cpu: 200m}\n');
    await inPhase('spinner', 'RUNNING');
    const used = await sample('spinner', 10_000);
    expect(used.cpu_limit_percent).toBe(20);
    expect(used.cpu_percent).toBeGreaterThan(14);
    expect(used.cpu_percent).toBeLessThan(26);
    expect(used.throttled_percent).toBeGreaterThan(50);
    expect(used.cpu_pressure?.some_avg10).toBeGreaterThan(20);
  });

  it('memory: what it holds, its limit and its peak', async () => {
    const hold = '(head -c 40000000 /dev/zero; exec sleep 100000) | exec tail -c 40000000';
    define('holder', hold, 'resources: {max_memory: 512MiB}\n');
    await inPhase('holder', 'RUNNING');
    const used = await holds(20 * MIB);
    expect(used.memory_limit_bytes).toBe(512 * MIB);
    expect(used.memory_anon_bytes).toBeGreaterThan(20 * MIB);
    expect(used.memory_peak_bytes).toBeGreaterThanOrEqual(used.memory_bytes ?? Number.NaN);
    expect(used.memory_working_set_bytes).toBeLessThanOrEqual(used.memory_bytes ?? Number.NaN);
    expect(used.swap_bytes).toBe(0);
    expect(used.pids).toBeGreaterThan(0);
  });

  it('disks: what it writes, as it writes it', async () => {
    const write = 'dd if=/dev/zero of=/var/tmp/written bs=1M count=4 oflag=direct conv=notrunc';
    define('writer', `while :; do ${write} 2>/dev/null; done`);
    await inPhase('writer', 'RUNNING');
    const used = await sample('writer');
    expect(used.io_write_bytes_per_s).toBeGreaterThan(100_000);
    expect(used.io_writes_per_s).toBeGreaterThan(0);
    expect(used.io_write_bytes).toBeGreaterThan(MIB);
    await command('pmctl stop writer');
    unlinkSync('/var/tmp/written');
  });

  it('is known afterwards, whoever was the daemon then', async () => {
    const memory = async () => {
      const text = await command('pmctl perf-metrics holder --since 5m --format json');
      const { series } = JSON.parse(text) as UsageHistoryRow;
      return series
        .find(({ field }) => field === 'memory_bytes')
        ?.max.some((most) => most !== null);
    };
    await waitFor(memory, { what: 'a sample of ten seconds', deadlineMs: 60_000 });
    await command('pmctl daemon restart');
    expect(await memory()).toBe(true);
  });

  it('is in pmctl top and in the metrics', async () => {
    expect(await command('pmctl top -b -n 1')).toMatch(/^spinner +RUNNING +\d+ +\d+\.\d /m);
    const metrics = await command('pmctl metrics');
    expect(metrics).toMatch(
      /^processmaster_service_memory_limit_bytes\{service="holder"\} 536870912$/m,
    );
    expect(metrics).toMatch(
      /^processmaster_service_cpu_throttled_seconds_total\{service="spinner"\} \d/m,
    );
    expect(metrics).toMatch(/^processmaster_service_processes\{service="spinner"\} 1$/m);
  });
});

/** A sample of the holder once it has filled its memory. */
async function holds(bytes: number): Promise<UsageSample> {
  for (;;) {
    const used = await sample('holder', 500);
    if ((used.memory_anon_bytes ?? 0) > bytes) return used;
  }
}
