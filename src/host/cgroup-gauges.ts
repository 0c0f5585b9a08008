import type { CgroupPath } from './cgroup.ts';
import { KernelFile } from './kernel-file.ts';

/** Share of the time in which some, or all, tasks waited, in percent over ten seconds; and in sum. */
export interface Pressure {
  readonly someAvg10: number;
  /** `null` where the kernel does not tell it. */
  readonly fullAvg10: number | null;
  readonly someTotalUs: number;
}

/**
 * What a cgroup and all below it use now, and have used since it was made. Bytes, microseconds, counts;
 * `null` is what nobody counts here (no such controller, no limit), never 0.
 * (cgroup-v2.rst, "Controllers"; accounting/psi.rst)
 */
export interface GaugeReading {
  readonly cpuUs: number | null;
  readonly cpuUserUs: number | null;
  readonly cpuSystemUs: number | null;
  /** Periods in which there was something to run, those of them that were cut short, and for how long. */
  readonly cpuPeriods: number | null;
  readonly cpuThrottledPeriods: number | null;
  readonly cpuThrottledUs: number | null;
  /** 100 is a whole core. */
  readonly cpuLimitPercent: number | null;
  readonly memoryBytes: number | null;
  /** Without what the kernel would give up first: file pages that were not used lately. */
  readonly memoryWorkingSetBytes: number | null;
  readonly memoryAnonBytes: number | null;
  readonly memoryFileBytes: number | null;
  readonly memoryPeakBytes: number | null;
  readonly memoryLimitBytes: number | null;
  readonly swapBytes: number | null;
  readonly ioReadBytes: number | null;
  readonly ioWriteBytes: number | null;
  readonly ioReads: number | null;
  readonly ioWrites: number | null;
  readonly pids: number | null;
  readonly cpuPressure: Pressure | null;
  readonly memoryPressure: Pressure | null;
  readonly ioPressure: Pressure | null;
}

const FILES = [
  'cpu.stat',
  'cpu.max',
  'memory.current',
  'memory.stat',
  'memory.peak',
  'memory.max',
  'memory.swap.current',
  'io.stat',
  'pids.current',
  'cpu.pressure',
  'memory.pressure',
  'io.pressure',
] as const;

type File = (typeof FILES)[number];

/** The kernel's gauges of one cgroup, kept open. One that was made anew needs new ones. */
export class CgroupGauges {
  readonly #files: Readonly<Record<File, KernelFile>>;

  constructor(path: CgroupPath) {
    const entries = FILES.map((file) => [file, new KernelFile(`${path}/${file}`)] as const);
    this.#files = Object.fromEntries(entries) as Record<File, KernelFile>;
  }

  /**
   * `null` when the cgroup is gone; `before` itself, if it is given, when none of its processes had the
   * CPU since. Does not throw.
   */
  read(before: GaugeReading | null = null): GaugeReading | null {
    const cpu = this.#files['cpu.stat'].read();
    // The core has it for every cgroup, whatever controllers there are.
    if (cpu === null) return null;
    if (before !== null && key(cpu, 'usage_usec') === before.cpuUs) return before;
    const stat = this.#files['memory.stat'].read();
    const memoryBytes = this.#number('memory.current');
    const inactive = key(stat, 'inactive_file');
    return {
      cpuUs: key(cpu, 'usage_usec'),
      cpuUserUs: key(cpu, 'user_usec'),
      cpuSystemUs: key(cpu, 'system_usec'),
      cpuPeriods: key(cpu, 'nr_periods'),
      cpuThrottledPeriods: key(cpu, 'nr_throttled'),
      cpuThrottledUs: key(cpu, 'throttled_usec'),
      cpuLimitPercent: readCpuLimit(this.#files['cpu.max'].read()),
      memoryBytes,
      memoryWorkingSetBytes:
        memoryBytes === null || inactive === null ? null : Math.max(memoryBytes - inactive, 0),
      memoryAnonBytes: key(stat, 'anon'),
      memoryFileBytes: key(stat, 'file'),
      memoryPeakBytes: this.#number('memory.peak'),
      memoryLimitBytes: this.#number('memory.max'),
      swapBytes: this.#number('memory.swap.current'),
      ...readIo(this.#files['io.stat'].read()),
      pids: this.#number('pids.current'),
      cpuPressure: readPressure(this.#files['cpu.pressure'].read()),
      memoryPressure: readPressure(this.#files['memory.pressure'].read()),
      ioPressure: readPressure(this.#files['io.pressure'].read()),
    };
  }

  /** Keeps one descriptor: what tells whether the others have to be read at all. */
  letGo(): void {
    for (const name of FILES) if (name !== 'cpu.stat') this.#files[name].letGo();
  }

  close(): void {
    for (const file of Object.values(this.#files)) file.close();
  }

  /** `max` is no number. */
  #number(file: File): number | null {
    const text = this.#files[file].read();
    const value = text === null || text === '' ? Number.NaN : Number(text);
    return Number.isFinite(value) ? value : null;
  }
}

/** The number behind a key at the beginning of a line. */
function key(text: string | null, name: string): number | null {
  if (text === null) return null;
  const start = text.startsWith(`${name} `) ? 0 : text.indexOf(`\n${name} `) + 1;
  if (start === 0 && !text.startsWith(`${name} `)) return null;
  return Number.parseInt(text.slice(start + name.length + 1, start + name.length + 24), 10);
}

/** `QUOTA PERIOD`, or `max PERIOD`. */
function readCpuLimit(text: string | null): number | null {
  const [quota, period] = (text ?? '').split(' ').map(Number);
  const share = (quota ?? Number.NaN) / (period ?? Number.NaN);
  return Number.isFinite(share) ? Math.round(share * 10_000) / 100 : null;
}

type Io = Pick<GaugeReading, 'ioReadBytes' | 'ioWriteBytes' | 'ioReads' | 'ioWrites'>;

/** The sums over all disks: `8:0 rbytes=… wbytes=… rios=… wios=… …`; a disk without an answer has no keys. */
function readIo(text: string | null): Io {
  if (text === null)
    return { ioReadBytes: null, ioWriteBytes: null, ioReads: null, ioWrites: null };
  const sum = { rbytes: 0, wbytes: 0, rios: 0, wios: 0 };
  for (const [, name = '', digits] of text.matchAll(/ ([rw](?:bytes|ios))=(\d+)/g)) {
    sum[name as keyof typeof sum] += Number(digits);
  }
  const { rbytes: ioReadBytes, wbytes: ioWriteBytes, rios: ioReads, wios: ioWrites } = sum;
  return { ioReadBytes, ioWriteBytes, ioReads, ioWrites };
}

/** `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, and the same for `full`. */
function readPressure(text: string | null): Pressure | null {
  const some = /^some avg10=([\d.]+) .*total=(\d+)$/m.exec(text ?? '');
  if (some === null) return null;
  const full = /^full avg10=([\d.]+) /m.exec(text ?? '')?.[1];
  return {
    someAvg10: Number(some[1]),
    fullAvg10: full === undefined ? null : Number(full),
    someTotalUs: Number(some[2]),
  };
}
