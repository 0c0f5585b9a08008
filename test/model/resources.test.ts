import { describe, expect, it } from 'vitest';
import {
  controlsOf,
  cpuMax,
  type Resources,
  UNLIMITED,
  writtenResources,
} from '../../src/model/resources.ts';

const ALL: Resources = {
  maxCpu: 1_500,
  maxMemory: 67_108_864,
  memoryHigh: 50_000_000,
  maxSwap: 0,
  maxPids: 20,
  cpuWeight: 50,
  ioWeight: 10_000,
  ioBandwidth: [
    {
      device: '/dev/vda',
      readBytesPerSecond: 10_000_000,
      writeBytesPerSecond: null,
      readIops: null,
      writeIops: 100,
    },
  ],
  oom: 'process',
};

describe('the control files of a service', () => {
  it('have a line for each key', () => {
    const lines = controlsOf(ALL).map(({ file, device, value }) =>
      [file, device ?? '', value].filter(Boolean).join(' '),
    );
    expect(lines).toEqual([
      'memory.swap.max 0',
      'memory.high 50000000',
      'memory.oom.group 0',
      'memory.max 67108864',
      'cpu.max 150000 100000',
      'cpu.weight 50',
      'io.weight 10000',
      'pids.max 20',
      'io.max /dev/vda rbps=10000000 wbps=max riops=max wiops=100',
    ]);
  });

  it('of a service without limits are as the kernel makes them, but that memory ends all of it', () => {
    const changed = controlsOf(UNLIMITED).filter(({ isDefault }) => !isDefault);
    expect(changed.map(({ file, value }) => `${file} ${value}`)).toEqual(['memory.oom.group 1']);
  });

  it.each([
    [null, 'max 100000'],
    [100, '10000 100000'],
    [1_500, '150000 100000'],
    [64_000, '6400000 100000'],
    [10, '1000 100000'],
    // No quota below a millisecond, no period above a second.
    [5, '1000 200000'],
    [3, '1000 333333'],
    [1, '1000 1000000'],
  ])('%s thousandths of a CPU are %s', (milliCpus, value) => {
    expect(cpuMax(milliCpus)).toBe(value);
  });
});

it('resources are shown as a file writes them', () => {
  expect(writtenResources(ALL)).toEqual({
    max_cpu: '1.5',
    max_memory: '64MiB',
    memory_high: '50m',
    max_swap: '0',
    max_pids: 20,
    cpu_weight: 50,
    io_weight: 10_000,
    io_bandwidth: [{ device: '/dev/vda', max_read_bytes_per_second: '10m', max_write_iops: 100 }],
    oom: 'process',
  });
  expect(Object.values(writtenResources(UNLIMITED)).filter((value) => value !== null)).toEqual([
    'group',
  ]);
});
