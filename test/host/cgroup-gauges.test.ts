import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { cgroupAt, createCgroup, removeCgroup } from '../../src/host/cgroup.ts';
import { CgroupGauges, type GaugeMoment } from '../../src/host/cgroup-gauges.ts';
import { resolveCgroupRoot } from '../../src/host/cgroup-mount.ts';

/** What Linux 6.1 says of a cgroup with every controller, and with limits. */
const FILES: Readonly<Record<string, string>> = {
  'cpu.stat':
    'usage_usec 2513377\nuser_usec 2001\nsystem_usec 511376\ncore_sched.force_idle_usec 0\nnr_periods 30\nnr_throttled 27\nthrottled_usec 2400100\nnr_bursts 0\nburst_usec 0\n',
  'cpu.max': '15000 100000\n',
  'memory.current': '9437184\n',
  'memory.stat':
    'anon 4096000\nfile 2048000\nkernel 90112\ninactive_anon 0\nactive_anon 4096000\ninactive_file 1437184\nactive_file 1\n',
  'memory.peak': '12582912\n',
  'memory.max': 'max\n',
  'memory.swap.current': '0\n',
  'io.stat':
    '254:0 rbytes=1000 wbytes=200 rios=3 wios=4 dbytes=0 dios=0\n7:0 \n254:16 rbytes=24 wbytes=1 rios=1 wios=1 dbytes=9 dios=9\n',
  'pids.current': '7\n',
  'cpu.pressure':
    'some avg10=12.34 avg60=1.00 avg300=0.00 total=98765\nfull avg10=1.50 avg60=0.00 avg300=0.00 total=1\n',
  'memory.pressure': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
};

let folder: string;

function moment(changes: Partial<GaugeMoment> = {}): GaugeMoment {
  const calm = { waitedForMemory: '5', waitedForIo: '7' };
  return { nowMs: 1_000, ...calm, mayBeOldMs: 0, ...changes };
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gauges-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

describe('the gauges of a cgroup', () => {
  it('are read with their units; what the kernel does not count is null, never 0', () => {
    for (const [file, text] of Object.entries(FILES)) writeFileSync(join(folder, file), text);
    const gauges = new CgroupGauges(cgroupAt(folder));
    onTestFinished(() => gauges.close());
    expect(gauges.read(moment())).toEqual({
      cpuUs: 2_513_377,
      cpuUserUs: 2_001,
      cpuSystemUs: 511_376,
      cpuPeriods: 30,
      cpuThrottledPeriods: 27,
      cpuThrottledUs: 2_400_100,
      cpuLimitPercent: 15,
      memoryBytes: 9_437_184,
      memoryWorkingSetBytes: 8_000_000,
      memoryAnonBytes: 4_096_000,
      memoryFileBytes: 2_048_000,
      memoryPeakBytes: 12_582_912,
      memoryLimitBytes: null,
      swapBytes: 0,
      ioReadBytes: 1_024,
      ioWriteBytes: 201,
      ioReads: 4,
      ioWrites: 5,
      pids: 7,
      cpuPressure: { someAvg10: 12.34, fullAvg10: 1.5, someTotalUs: 98_765 },
      memoryPressure: { someAvg10: 0, fullAvg10: null, someTotalUs: 0 },
      ioPressure: null,
    });
  });

  it('of a real one without controllers: its CPU, and blanks', () => {
    const cgroup = cgroupAt(
      join(resolveCgroupRoot(null, 'pmtest'), `pmtest-gauges-${process.pid}`),
    );
    createCgroup(cgroup);
    onTestFinished(() => void removeCgroup(cgroup));
    const gauges = new CgroupGauges(cgroup);
    expect(gauges.read(moment())).toMatchObject({ cpuUs: 0, cpuPeriods: null, memoryBytes: null });
    expect(gauges.read(moment())).toMatchObject({
      ioReadBytes: null,
      pids: null,
      cpuLimitPercent: null,
    });
    removeCgroup(cgroup);
    expect(gauges.read(moment())).toBeNull();
    gauges.close();
  });

  it('keep their files open between two readings, and none after', () => {
    mkdirSync(folder, { recursive: true });
    for (const [file, text] of Object.entries(FILES)) writeFileSync(join(folder, file), text);
    const gauges = new CgroupGauges(cgroupAt(folder));
    gauges.read(moment());
    expect(openBelow(folder)).toHaveLength(Object.keys(FILES).length);
    writeFileSync(join(folder, 'pids.current'), '8\n');
    expect(gauges.read(moment())?.pids).toBe(8);
    gauges.close();
    expect(openBelow(folder)).toEqual([]);
  });
});

describe('what is read again', () => {
  const write = (changes: Readonly<Record<string, string>>) => {
    for (const [file, text] of Object.entries(changes)) writeFileSync(join(folder, file), text);
  };
  const NOW = { mayBeOldMs: 10_000 };
  const CALM = 'some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n';
  let gauges: CgroupGauges;
  beforeEach(() => {
    write({ ...FILES, 'cpu.pressure': CALM, 'io.pressure': CALM });
    gauges = new CgroupGauges(cgroupAt(folder));
    onTestFinished(() => gauges.close());
    gauges.read(moment(NOW));
    // What it would say now, if it were read.
    write({ 'pids.current': '8\n', 'memory.max': '100\n' });
    for (const what of ['cpu', 'memory', 'io']) {
      write({ [`${what}.pressure`]: 'some avg10=9.00 avg60=0.00 avg300=0.00 total=1\n' });
    }
  });

  it('is nothing but the CPU time of what does nothing', () => {
    expect(gauges.read(moment({ ...NOW, nowMs: 10_999 }))).toMatchObject({
      pids: 7,
      memoryLimitBytes: null,
      cpuPressure: { someAvg10: 0 },
      memoryPressure: { someAvg10: 0 },
      ioPressure: { someAvg10: 0 },
    });
  });

  it('is everything when it has become old', () => {
    expect(gauges.read(moment({ ...NOW, nowMs: 11_000 }))).toMatchObject({
      pids: 8,
      memoryLimitBytes: 100,
      cpuPressure: { someAvg10: 9 },
      ioPressure: { someAvg10: 9 },
    });
  });

  it('is what a process that ran can have changed', () => {
    write({ 'cpu.stat': 'usage_usec 2513378\n' });
    expect(gauges.read(moment(NOW))).toMatchObject({
      cpuUs: 2_513_378,
      pids: 8,
      memoryLimitBytes: null,
      cpuPressure: { someAvg10: 9 },
      memoryPressure: { someAvg10: 0 },
    });
  });

  it.each([
    [
      'memory',
      { waitedForMemory: '6' },
      { memoryPressure: { someAvg10: 9 }, ioPressure: { someAvg10: 0 } },
    ],
    [
      'a disk',
      { waitedForIo: '8' },
      { memoryPressure: { someAvg10: 0 }, ioPressure: { someAvg10: 9 } },
    ],
  ])('is what a process can have waited for that has no CPU: %s', (_what, waited, expected) => {
    expect(gauges.read(moment({ ...NOW, ...waited }))).toMatchObject({ pids: 7, ...expected });
  });

  it('is an average until it has come down to nothing', () => {
    gauges.read(moment({ ...NOW, waitedForIo: '8' }));
    write({ 'io.pressure': 'some avg10=4.00 avg60=0.00 avg300=0.00 total=1\n' });
    const after = moment({ ...NOW, waitedForIo: '8' });
    expect(gauges.read(after)?.ioPressure?.someAvg10).toBe(4);
    write({ 'io.pressure': CALM });
    expect(gauges.read(after)?.ioPressure?.someAvg10).toBe(0);
    write({ 'io.pressure': 'some avg10=3.00 avg60=0.00 avg300=0.00 total=1\n' });
    expect(gauges.read(after)?.ioPressure?.someAvg10).toBe(0);
  });
});

function openBelow(path: string): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(path) ? [target] : [];
    } catch {
      // The descriptor that the listing itself was read by.
      return [];
    }
  });
}
