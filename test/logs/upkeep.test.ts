import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { rotateWhenFull } from '../../src/logs/rotate-when-full.ts';
import { RotatingFile } from '../../src/logs/rotating-file.ts';
import type { LogSettings, RotationSpec } from '../../src/model/service-spec.ts';
import { LOG_SETTINGS } from '../builders/specs.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { CaptureRig, until } from './capture-rig.ts';
import { backupNames, wholeLog } from './log-files.ts';

function kept(rotation: Partial<RotationSpec>, rest: Partial<LogSettings> = {}): LogSettings {
  const plain = { ...LOG_SETTINGS.rotation, compress: false };
  return { ...LOG_SETTINGS, ...rest, rotation: { ...plain, ...rotation } };
}

describe('what is kept of logs', () => {
  let rig: CaptureRig;

  beforeEach(() => {
    rig = new CaptureRig();
  });

  afterEach(() => rig.cleanUp());

  function sizeOfAll(path: string): number {
    return Number(execFileSync('sh', ['-c', `cat '${path}'* | wc -c`]).toString());
  }

  it('fits into the budget of the service, both files together; the oldest go', async () => {
    const settings = kept({ maxBytes: 10_000_000, backups: 100 }, { maxTotalBytes: 400_000 });
    const paths = rig.service('web', settings);
    rig.capture.attach('web', paths);
    rig.run(paths, 'seq 1 300000; seq 1 300000 >&2');
    await until(() => rig.ended.includes('web'));
    const size = sizeOfAll(paths.stdoutPath) + sizeOfAll(paths.stderrPath);
    // One file between two rotations is at most a quarter of it.
    expect(size).toBeLessThanOrEqual(500_000);
    expect(size).toBeGreaterThan(250_000);
    expect(wholeLog(paths.stderrPath).toString()).toMatch(/\n299999\n300000\n$/);
    // What was said first is what went.
    expect(backupNames(paths.stdoutPath)).toEqual([]);
    expect(rig.troubles).toEqual([]);
  });

  it('fits into the budget of all services together, those that have ended included', async () => {
    rig.capture.setBudget(400_000);
    for (const name of ['old', 'new']) {
      const paths = rig.service(name, kept({ backups: 100 }));
      rig.capture.attach(name, paths);
      rig.run(paths, 'exec seq 1 200000');
      await until(() => rig.ended.includes(name));
      rig.capture.detach(name);
    }
    const size = (name: string) => sizeOfAll(join(rig.directory, name, 'out.log'));
    const [old, recent] = [size('old'), size('new')];
    expect(old + recent).toBeLessThanOrEqual(500_000);
    expect(recent).toBeGreaterThan(250_000);
    expect(backupNames(join(rig.directory, 'old', 'out.log'))).toEqual([]);
  });

  it('is what is not too old', async () => {
    const paths = rig.service('web', kept({ maxBytes: 1_000, backups: 100, maxAgeMs: 3_600_000 }));
    for (const number of [1, 2, 3]) {
      writeFileSync(`${paths.stdoutPath}.${number}`, `${number}\n`);
      const at = Date.now() / 1_000 - (number === 1 ? 60 : 7_200);
      utimesSync(`${paths.stdoutPath}.${number}`, at, at);
    }
    rig.capture.attach('web', paths);
    rig.run(paths, 'exec seq 1 300');
    await until(() => rig.ended.includes('web'));
    expect(backupNames(paths.stdoutPath)).toEqual(['out.log.1', 'out.log.2']);
    expect(readFileSync(`${paths.stdoutPath}.2`, 'utf8')).toBe('1\n');
  });

  it('begins its lines with the time on request, each line once', async () => {
    const paths = rig.service('web', kept({ maxBytes: 5_000, backups: 100 }, { timestamps: true }));
    rig.capture.attach('web', paths);
    const before = Date.now();
    rig.run(paths, 'seq 1 2000; printf half; sleep 0.05; echo " a line"; head -c 200000 /dev/zero');
    await until(() => rig.ended.includes('web'));
    const lines = wholeLog(paths.stdoutPath).toString().trimEnd().split('\n');
    const stamped = lines.map((line) =>
      /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (.*)$/s.exec(line),
    );
    expect(stamped.slice(0, 2_000).map((match) => match?.[2])).toEqual(
      Array.from({ length: 2_000 }, (_, at) => String(at + 1)),
    );
    expect(stamped[2_000]?.[2]).toBe('half a line');
    expect(stamped[2_001]?.[2]).toBe('\0'.repeat(200_000));
    expect(lines).toHaveLength(2_002);
    const times = stamped.map((match) => Date.parse(match?.[1] ?? ''));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(before - 5);
    expect(times.at(-1)).toBeLessThanOrEqual(Date.now() + 5);
  });
});

describe('a file that is rotated by the clock', () => {
  let directory: string;
  let path: string;
  let clock: FakeClock;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'rotation-'));
    path = join(directory, 'out.log');
    clock = new FakeClock();
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  function open(settings: LogSettings): RotatingFile {
    const file = new RotatingFile(path, settings, {
      clock,
      budgetBytes: () => Number.POSITIVE_INFINITY,
      onTrouble: (message) => expect.fail(message),
      onRotated: () => {},
    });
    file.open();
    return file;
  }

  /** Only the wall clock is set. */
  const at = (time: string) => clock.stepWall(Date.parse(time) - clock.wallMs());
  const hourly = kept({ mode: 'time', frequency: 'hourly' });
  const contents = () =>
    [...backupNames(path).toReversed(), 'out.log'].map((name) =>
      existsSync(join(directory, name)) ? readFileSync(join(directory, name), 'utf8') : null,
    );

  it('holds one hour, whatever its size, in whole lines', () => {
    at('2026-01-31T10:59:59Z');
    const file = open(hourly);
    file.append(Buffer.from(`${'x'.repeat(20_000_000)}\n`));
    file.append(Buffer.from('begun'));
    at('2026-01-31T11:00:00Z');
    file.append(Buffer.from(', ended\nnext\n'));
    file.append(Buffer.from('and more\n'));
    const [first, second, ...others] = contents();
    expect([first?.length, others]).toEqual([20_000_001 + 'begun, ended\n'.length, []]);
    expect(second).toBe('next\nand more\n');
    file.close();
  });

  it('is put aside while nobody writes, when the hour is over and not before', () => {
    at('2026-01-31T10:20:00Z');
    const file = open(hourly);
    file.append(Buffer.from('one\n'));
    file.rotateWhenDue();
    expect(contents()).toEqual(['one\n']);
    at('2026-01-31T11:20:00Z');
    file.rotateWhenDue();
    file.rotateWhenDue();
    expect(contents()).toEqual(['one\n', null]);
  });

  it('goes by what was last written when it is found', () => {
    writeFileSync(path, 'earlier\n');
    const writtenAt = new Date('2026-01-31T10:59:00Z');
    utimesSync(path, writtenAt, writtenAt);
    at('2026-01-31T11:01:00Z');
    const file = open(hourly);
    file.append(Buffer.from('now\n'));
    expect(contents()).toEqual(['earlier\n', 'now\n']);
    file.close();
  });

  it('is not put aside because the clock was set back, and is when it goes on', () => {
    at('2026-01-31T10:20:00Z');
    const file = open(hourly);
    file.append(Buffer.from('one\n'));
    at('2026-01-30T08:20:00Z');
    file.append(Buffer.from('two\n'));
    expect(contents()).toEqual(['one\ntwo\n']);
    at('2026-01-30T09:00:00Z');
    file.append(Buffer.from('three\n'));
    expect(contents()).toEqual(['one\ntwo\n', 'three\n']);
    file.close();
  });

  it('that others append to is looked at before', () => {
    const trouble: string[] = [];
    const ports = { clock: systemClock, onTrouble: (text: string) => trouble.push(text) };
    rotateWhenFull(path, kept({ maxBytes: 10 }), ports);
    expect(existsSync(path)).toBe(false);
    appendFileSync(path, '123456789');
    rotateWhenFull(path, kept({ maxBytes: 10 }), ports);
    expect(statSync(path).size).toBe(9);
    appendFileSync(path, '0');
    rotateWhenFull(path, kept({ maxBytes: 10 }), ports);
    expect([existsSync(path), readFileSync(`${path}.1`, 'utf8')]).toEqual([false, '1234567890']);
    expect(trouble).toEqual([]);
  });
});
