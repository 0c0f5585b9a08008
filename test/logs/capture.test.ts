import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CaptureRig, isSequence, lineCount, MIB, numbers, sizeOf, until } from './capture-rig.ts';
import { wholeLog } from './log-files.ts';

let rig: CaptureRig;

beforeEach(() => {
  rig = new CaptureRig();
});

afterEach(() => rig.cleanUp());

describe('LogCapture, of what services say', () => {
  it('writes every line of both streams, in order', async () => {
    const paths = rig.service('web');
    rig.capture.attach('web', paths);
    rig.run(paths, 'seq 1 300000 & seq 1 200000 >&2; wait');
    await until(() => rig.ended.includes('web'));
    expect(isSequence(paths.stdoutPath, 300_000)).toBe(true);
    expect(isSequence(paths.stderrPath, 200_000)).toBe(true);
    expect(rig.troubles).toEqual([]);
  });

  it('writes what a process says byte for byte, whatever it is', async () => {
    const paths = rig.service('web');
    const bytes = Buffer.concat([Buffer.from('\0\n\0'), randomBytes(3 * MIB), Buffer.from('\n')]);
    writeFileSync(join(rig.directory, 'bytes'), bytes);
    rig.capture.attach('web', paths);
    rig.run(paths, `exec cat ${rig.directory}/bytes`);
    await until(() => rig.ended.includes('web'));
    expect(readFileSync(paths.stdoutPath).equals(bytes)).toBe(true);
  });

  it('takes a line of 100 MB in bounded memory and completes it', async () => {
    const paths = rig.service('web');
    rig.capture.attach('web', paths);
    const before = process.memoryUsage().rss;
    rig.run(paths, 'exec head -c 100000000 /dev/zero');
    let highest = 0;
    await until(() => {
      highest = Math.max(highest, process.memoryUsage().rss);
      return rig.ended.includes('web');
    });
    expect(wholeLog(paths.stdoutPath)).toHaveLength(100_000_001);
    expect(highest - before).toBeLessThan(40 * MIB);
  });

  it('does not let a busy service starve the loop or another service', async () => {
    const noisy = rig.service('noisy');
    const quiet = rig.service('quiet');
    rig.capture.attach('noisy', noisy);
    rig.capture.attach('quiet', quiet);
    const delay = monitorEventLoopDelay({ resolution: 5 });
    rig.run(noisy, 'yes & yes >&2; wait');
    const fd = rig.hold(quiet.stdoutFifo);
    await until(() => sizeOf(noisy.stdoutPath) > 8 * MIB);
    delay.enable();
    for (let line = 1; line <= 20; line += 1) {
      writeSync(fd, `${line}\n`);
      await until(() => lineCount(quiet.stdoutPath) === line);
    }
    delay.disable();
    expect(delay.percentile(99) / 1e6).toBeLessThan(100);
  });

  it('keeps the lines of two streams whole in a file they share', async () => {
    const paths = { ...rig.service('web'), stderrPath: join(rig.directory, 'web', 'out.log') };
    rig.capture.attach('web', paths);
    // Buffered output: pipes are written in blocks that end in the middle of lines.
    rig.run(paths, 'seq 1 100000 & seq -f e%.0f 1 100000 >&2; wait');
    await until(() => rig.ended.includes('web'));
    const lines = readFileSync(paths.stdoutPath, 'utf8').trimEnd().split('\n');
    expect(lines.filter((line) => !line.startsWith('e')).join('\n')).toBe(
      numbers(100_000).trimEnd(),
    );
    expect(lines.filter((line) => line.startsWith('e'))).toHaveLength(100_000);
  });

  it('neither stalls nor kills a service whose log cannot be written', async () => {
    const paths = rig.service('web');
    const outside = join(rig.directory, 'outside');
    execFileSync('chmod', ['0777', join(rig.directory, 'web')]);
    symlinkSync(outside, paths.stdoutPath);
    rig.capture.attach('web', paths);
    const child = rig.run(paths, 'exec seq 1 100000');
    await until(() => rig.ended.includes('web'));
    await until(() => child.exitCode === 0);
    expect(existsSync(outside)).toBe(false);
    expect(rig.troubles).toEqual([
      expect.stringContaining(`web: cannot write '${paths.stdoutPath}'`),
    ]);
  });

  it('writes a new file when the old one is deleted while the service runs', async () => {
    const paths = rig.service('web');
    const fd = rig.hold(paths.stdoutFifo);
    rig.capture.attach('web', paths);
    writeSync(fd, 'before\n');
    await until(() => sizeOf(paths.stdoutPath) > 0);
    unlinkSync(paths.stdoutPath);
    await until(() => {
      writeSync(fd, 'after\n');
      return existsSync(paths.stdoutPath);
    });
    expect(readFileSync(paths.stdoutPath, 'utf8')).toMatch(/^(after\n)+$/);
  });
});
