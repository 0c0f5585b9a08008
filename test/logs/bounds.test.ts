import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogSettings } from '../../src/model/service-spec.ts';
import { LOG_SETTINGS } from '../builders/specs.ts';
import { CaptureRig, MIB, until } from './capture-rig.ts';
import { wholeLog } from './log-files.ts';

let rig: CaptureRig;
let mounted: string | null;

beforeEach(() => {
  rig = new CaptureRig();
  mounted = null;
});

afterEach(async () => {
  rig.capture.closeAll();
  if (mounted !== null) execFileSync('umount', ['-l', mounted]);
  await rig.cleanUp();
});

describe('whatever services say', () => {
  it('a thousand streams at once are kept in bounded memory', async () => {
    const settings = {
      ...LOG_SETTINGS,
      rotation: { ...LOG_SETTINGS.rotation, maxBytes: 100_000, compress: false },
    };
    // Without newlines, NULs, no UTF-8; each stream more than a pipe holds and than a file takes.
    writeFileSync(join(rig.directory, 'bytes'), Buffer.alloc(150_000, 'a\0\xff', 'latin1'));
    const all = Array.from({ length: 500 }, (_, at) => rig.service(`s${at}`, settings));
    const before = process.memoryUsage().rss;
    for (const [at, paths] of all.entries()) rig.capture.attach(`s${at}`, paths);
    const holds = all.flatMap(({ stdoutFifo, stderrFifo }) => [stdoutFifo, stderrFifo]);
    const script = holds.map((fifo) => `cat '${rig.directory}/bytes' >'${fifo}' &`).join('\n');
    writeFileSync(join(rig.directory, 'script'), `${script}\nwait\n`);
    const first = all[0];
    if (first === undefined) throw new Error('no services');
    rig.run(first, `exec sh '${rig.directory}/script'`);
    let highest = 0;
    await until(() => {
      highest = Math.max(highest, process.memoryUsage().rss);
      return rig.ended.length >= 500;
    }, 60_000);
    expect(highest - before).toBeLessThan(100 * MIB);
    for (const { stderrPath } of all) expect(wholeLog(stderrPath).length).toBe(150_001);
    expect(rig.troubles).toEqual([]);
  }, 120_000);

  it('a disk that is full blocks nobody, and what is missing is counted when there is space', async () => {
    const rotation = { ...LOG_SETTINGS.rotation, maxBytes: 100_000, backups: 1_000 };
    const settings: LogSettings = { ...LOG_SETTINGS, rotation };
    const paths = rig.service('web', settings);
    const disk = join(rig.directory, 'disk');
    execFileSync('mkdir', [disk]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
    mounted = disk;
    const ballast = join(disk, 'ballast');
    writeFileSync(ballast, Buffer.alloc(400_000));
    const stdoutPath = join(disk, 'out.log');
    rig.capture.attach('web', { ...paths, stdoutPath });
    const go = join(rig.directory, 'go');
    // Random digits: they do not shrink to nothing.
    const script = `head -c 3000000 /dev/urandom | od -An -v -tx1; touch '${go}.said'
      while ! [ -e '${go}' ]; do sleep 0.05; done; sleep 1.1; echo after`;
    const child = rig.run(paths, script);
    await until(() => rig.troubles.some((text) => text.includes('No space left')));
    await until(() => existsSync(`${go}.said`));
    rmSync(ballast);
    writeFileSync(go, '');
    await until(() => rig.ended.includes('web'));
    await until(() => child.exitCode === 0);
    rig.capture.closeAll();
    const text = wholeLog(stdoutPath).toString();
    expect(text).toMatch(/\[processmaster\] \d+ bytes of output were dropped: No space left/);
    expect(text.endsWith('\nafter\n')).toBe(true);
    // All that was said (three bytes for one, and newlines) is there or counted.
    const notice = /^\[processmaster\] (\d+) bytes of output were dropped: .*\n/gm;
    const dropped = [...text.matchAll(notice)].reduce((sum, match) => sum + Number(match[1]), 0);
    const kept = text.replace(notice, '').length;
    const said = 3_000_000 * 3 + 3_000_000 / 16 + 'after\n'.length;
    // A line that was cut where bytes are missing is ended before the notice.
    expect(kept + dropped - said).toBeGreaterThanOrEqual(0);
    expect(kept + dropped - said).toBeLessThan(50);
  }, 60_000);
});
