import { formatCpu } from '../lib/cpu.ts';
import { formatSize } from '../lib/size.ts';

/** What a service may use; `null` is the kernel's default: no limit, or the weight of 100. */
export interface Resources {
  /** Thousandths of a CPU. */
  readonly maxCpu: number | null;
  /** Bytes; what is above them is reclaimed, and what cannot be is killed. */
  readonly maxMemory: number | null;
  /** Bytes; above them the service is slowed down and reclaimed from. */
  readonly memoryHigh: number | null;
  /** Bytes; 0 is no swap. */
  readonly maxSwap: number | null;
  /** Processes and threads. */
  readonly maxPids: number | null;
  /** 1..10000. */
  readonly cpuWeight: number | null;
  /** 1..10000. */
  readonly ioWeight: number | null;
  readonly ioBandwidth: readonly DeviceBandwidth[];
  /** Whether all of a service's processes go when its memory ran out, or the one the kernel picks. */
  readonly oom: 'group' | 'process';
}

/** Limits of one block device, each for itself; `null` is none. */
export interface DeviceBandwidth {
  /** `major:minor`, or a path below `/dev`. */
  readonly device: string;
  readonly readBytesPerSecond: number | null;
  readonly writeBytesPerSecond: number | null;
  readonly readIops: number | null;
  readonly writeIops: number | null;
}

export const UNLIMITED: Resources = {
  maxCpu: null,
  maxMemory: null,
  memoryHigh: null,
  maxSwap: null,
  maxPids: null,
  cpuWeight: null,
  ioWeight: null,
  ioBandwidth: [],
  oom: 'group',
};

type Controller = 'cpu' | 'memory' | 'io' | 'pids';

/** One value of one control file of a cgroup (cgroup-v2.rst). */
export interface Control {
  readonly controller: Controller;
  readonly file: string;
  /** What it bounds where the file has a line for each: a block device. */
  readonly device?: string;
  /** Without the device. */
  readonly value: string;
  /** The key that asks for it, e.g. `resources.max_cpu`. */
  readonly key: string;
  /** Whether it is what a cgroup has that was just made. */
  readonly isDefault: boolean;
}

/** All that is written for a service's resources, defaults too; in this order. Pure. */
export function controlsOf(resources: Resources): readonly Control[] {
  const { maxCpu, oom } = resources;
  return [
    // Before the limit on memory: what is above it is to go to swap, or not.
    amount('memory', 'memory.swap.max', 'max_swap', resources.maxSwap),
    amount('memory', 'memory.high', 'memory_high', resources.memoryHigh),
    {
      controller: 'memory',
      file: 'memory.oom.group',
      key: 'resources.oom',
      value: oom === 'group' ? '1' : '0',
      isDefault: oom === 'process',
    },
    amount('memory', 'memory.max', 'max_memory', resources.maxMemory),
    {
      controller: 'cpu',
      file: 'cpu.max',
      key: 'resources.max_cpu',
      value: cpuMax(maxCpu),
      isDefault: maxCpu === null,
    },
    weight('cpu', 'cpu.weight', 'cpu_weight', resources.cpuWeight),
    weight('io', 'io.weight', 'io_weight', resources.ioWeight),
    amount('pids', 'pids.max', 'max_pids', resources.maxPids),
    ...resources.ioBandwidth.map(bandwidth),
  ];
}

/** What takes a device's limits from it again. */
export const NO_BANDWIDTH = 'rbps=max wbps=max riops=max wiops=max';

const PERIOD_US = 100_000;
/** The kernel's bounds for quota and period. */
const LEAST_QUOTA_US = 1_000;
const LONGEST_PERIOD_US = 1_000_000;

/**
 * Quota and period for thousandths of a CPU (`null`: no limit). A small share needs a longer period,
 * for no quota may be below a millisecond.
 */
export function cpuMax(milliCpus: number | null): string {
  if (milliCpus === null) return `max ${PERIOD_US}`;
  const quota = (milliCpus * PERIOD_US) / 1_000;
  if (quota >= LEAST_QUOTA_US) return `${quota} ${PERIOD_US}`;
  const period = Math.min((LEAST_QUOTA_US * 1_000) / milliCpus, LONGEST_PERIOD_US);
  return `${LEAST_QUOTA_US} ${Math.floor(period)}`;
}

function amount(controller: Controller, file: string, key: string, most: number | null): Control {
  const value = most === null ? 'max' : String(most);
  return { controller, file, key: `resources.${key}`, value, isDefault: most === null };
}

const DEFAULT_WEIGHT = 100;

function weight(controller: Controller, file: string, key: string, share: number | null): Control {
  const value = String(share ?? DEFAULT_WEIGHT);
  return { controller, file, key: `resources.${key}`, value, isDefault: share === null };
}

function bandwidth(limits: DeviceBandwidth): Control {
  const most = (value: number | null) => value ?? 'max';
  const { device, readBytesPerSecond, writeBytesPerSecond, readIops, writeIops } = limits;
  return {
    controller: 'io',
    file: 'io.max',
    device,
    key: 'resources.io_bandwidth',
    value: [
      `rbps=${most(readBytesPerSecond)}`,
      `wbps=${most(writeBytesPerSecond)}`,
      `riops=${most(readIops)}`,
      `wiops=${most(writeIops)}`,
    ].join(' '),
    isDefault: false,
  };
}

/** The values of `resources` as a file writes them, by key; null for what is not limited. Pure. */
export function writtenResources(resources: Resources): Readonly<Record<string, unknown>> {
  const { maxCpu, ioBandwidth } = resources;
  const bytes = (most: number | null) => (most === null ? null : formatSize(most));
  return {
    max_cpu: maxCpu === null ? null : formatCpu(maxCpu),
    max_memory: bytes(resources.maxMemory),
    memory_high: bytes(resources.memoryHigh),
    max_swap: bytes(resources.maxSwap),
    max_pids: resources.maxPids,
    cpu_weight: resources.cpuWeight,
    io_weight: resources.ioWeight,
    io_bandwidth: ioBandwidth.length === 0 ? null : ioBandwidth.map(writtenBandwidth),
    oom: resources.oom,
  };
}

export function writtenBandwidth(limits: DeviceBandwidth): Readonly<Record<string, unknown>> {
  const { readBytesPerSecond, writeBytesPerSecond } = limits;
  const written = {
    device: limits.device,
    max_read_bytes_per_second: readBytesPerSecond && formatSize(readBytesPerSecond),
    max_write_bytes_per_second: writeBytesPerSecond && formatSize(writeBytesPerSecond),
    max_read_iops: limits.readIops,
    max_write_iops: limits.writeIops,
  };
  return Object.fromEntries(Object.entries(written).filter(([, value]) => value !== null));
}

/** A limit that was asked for and that is not in force. */
export interface RefusedLimit {
  readonly key: string;
  /** The kernel does not have that limit here; otherwise it has it and refuses the value. */
  readonly isUnsupported: boolean;
  /** Why, with the file and the kernel's error. */
  readonly reason: string;
}

/** What was last written for a service, by this daemon. */
export interface AppliedResources {
  readonly resources: Resources;
  readonly refused: readonly RefusedLimit[];
}
