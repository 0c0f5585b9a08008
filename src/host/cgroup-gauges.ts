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

/** What makes it possible to read less. */
export interface GaugeMoment {
  /** On the monotonic clock. */
  readonly nowMs: number;
  /** Sums of what all processes around it waited for memory and disks; they only grow. */
  readonly waitedForMemory: string;
  readonly waitedForIo: string;
  /** What changes by itself at most (limits, and memory that others reclaim) may be as old as this. */
  readonly mayBeOldMs: number;
}

interface Last {
  readonly moment: GaugeMoment;
  readonly reading: GaugeReading;
  /** When limits, memory and disks were read. */
  readonly inFullAtMs: number;
}

/**
 * The kernel's gauges of one cgroup, kept open. One that was made anew needs new ones.
 *
 * Most cgroups do nothing most of the time, and one file tells so. Which processes had no CPU allocated
 * nothing and wrote nothing, but may have waited: that is told for all of them together, too.
 */
export class CgroupGauges {
  readonly #files: Readonly<Record<File, KernelFile>>;
  #last: Last | null = null;

  constructor(path: CgroupPath) {
    const entries = FILES.map((file) => [file, new KernelFile(`${path}/${file}`)] as const);
    this.#files = Object.fromEntries(entries) as Record<File, KernelFile>;
  }

  /** `null` when the cgroup is gone. Does not throw. */
  read(moment: GaugeMoment): GaugeReading | null {
    const stat = this.#files['cpu.stat'].read();
    // The core has it for every cgroup, whatever controllers there are.
    const reading = stat === null ? null : this.#readOn(stat, moment);
    if (reading === null) this.#last = null;
    return reading;
  }

  #readOn(stat: string, moment: GaugeMoment): GaugeReading {
    const last = this.#last;
    if (last === null || moment.nowMs - last.inFullAtMs >= moment.mayBeOldMs) {
      const rest = { ...this.#amounts(), ...this.#limits(), ...this.#pressures(EVERY_FILE) };
      const reading = { ...readCpu(stat), ...rest };
      this.#last = { moment, reading, inFullAtMs: moment.nowMs };
      return reading;
    }
    const hasRun = key(stat, 'usage_usec') !== last.reading.cpuUs;
    const waits = whoMayHaveWaited(last, moment, hasRun);
    if (!hasRun && waits.length === 0) return last.reading;
    const amounts = hasRun ? this.#amounts() : {};
    const reading = { ...last.reading, ...readCpu(stat), ...amounts, ...this.#pressures(waits) };
    this.#last = { moment, reading, inFullAtMs: last.inFullAtMs };
    return reading;
  }

  /** Keeps one descriptor: what tells whether the others have to be read at all. */
  letGo(): void {
    for (const name of FILES) if (name !== 'cpu.stat') this.#files[name].letGo();
  }

  close(): void {
    this.#last = null;
    for (const file of Object.values(this.#files)) file.close();
  }

  #pressures<Name extends keyof Pressures>(names: readonly Name[]): Pick<Pressures, Name> {
    const read = names.map(
      (name) => [name, readPressure(this.#files[PRESSURE_FILES[name]].read())] as const,
    );
    return Object.fromEntries(read) as Pick<Pressures, Name>;
  }

  #amounts(): Amounts {
    const stat = this.#files['memory.stat'].read();
    const memoryBytes = this.#number('memory.current');
    const inactive = key(stat, 'inactive_file');
    return {
      memoryBytes,
      memoryWorkingSetBytes:
        memoryBytes === null || inactive === null ? null : Math.max(memoryBytes - inactive, 0),
      memoryAnonBytes: key(stat, 'anon'),
      memoryFileBytes: key(stat, 'file'),
      memoryPeakBytes: this.#number('memory.peak'),
      swapBytes: this.#number('memory.swap.current'),
      ...readIo(this.#files['io.stat'].read()),
      pids: this.#number('pids.current'),
    };
  }

  #limits(): Limits {
    return {
      cpuLimitPercent: readCpuLimit(this.#files['cpu.max'].read()),
      memoryLimitBytes: this.#number('memory.max'),
    };
  }

  /** `max` is no number. */
  #number(file: File): number | null {
    const text = this.#files[file].read();
    const value = text === null || text === '' ? Number.NaN : Number(text);
    return Number.isFinite(value) ? value : null;
  }
}

type Pressures = Pick<GaugeReading, 'cpuPressure' | 'memoryPressure' | 'ioPressure'>;
type Limits = Pick<GaugeReading, 'cpuLimitPercent' | 'memoryLimitBytes'>;
type Amounts = Pick<
  GaugeReading,
  | 'memoryBytes'
  | 'memoryWorkingSetBytes'
  | 'memoryAnonBytes'
  | 'memoryFileBytes'
  | 'memoryPeakBytes'
  | 'swapBytes'
  | 'ioReadBytes'
  | 'ioWriteBytes'
  | 'ioReads'
  | 'ioWrites'
  | 'pids'
>;

function readCpu(stat: string) {
  return {
    cpuUs: key(stat, 'usage_usec'),
    cpuUserUs: key(stat, 'user_usec'),
    cpuSystemUs: key(stat, 'system_usec'),
    cpuPeriods: key(stat, 'nr_periods'),
    cpuThrottledPeriods: key(stat, 'nr_throttled'),
    cpuThrottledUs: key(stat, 'throttled_usec'),
  };
}

const PRESSURE_FILES = {
  cpuPressure: 'cpu.pressure',
  memoryPressure: 'memory.pressure',
  ioPressure: 'io.pressure',
} as const;

const EVERY_FILE = Object.keys(PRESSURE_FILES) as readonly (keyof Pressures)[];

/** The pressures that may be other than they were. */
function whoMayHaveWaited(last: Last, now: GaugeMoment, hasRun: boolean) {
  const hasWaited = {
    cpuPressure: hasRun,
    memoryPressure: now.waitedForMemory !== last.moment.waitedForMemory,
    ioPressure: now.waitedForIo !== last.moment.waitedForIo,
  };
  return EVERY_FILE.filter((name) => hasWaited[name] || !isOver(last.reading[name]));
}

/** Whether the averages have come down to nothing, where they stay until somebody waits again. */
function isOver(pressure: Pressure | null): boolean {
  return pressure === null || (pressure.someAvg10 === 0 && (pressure.fullAvg10 ?? 0) === 0);
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
  if (text === null) return null;
  const someAvg10 = numberAfter(text, 'some avg10=');
  const someTotalUs = numberAfter(text, ' total=');
  if (someAvg10 === null || someTotalUs === null) return null;
  return { someAvg10, someTotalUs, fullAvg10: numberAfter(text, '\nfull avg10=') };
}

/** The first one behind these characters; read for each service each second, hence no pattern. */
function numberAfter(text: string, mark: string): number | null {
  const at = text.indexOf(mark);
  return at === -1 ? null : Number.parseFloat(text.slice(at + mark.length, at + mark.length + 24));
}
