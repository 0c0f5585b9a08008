import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogSettings, RotationSpec } from '../../src/model/service-spec.ts';
import { LOG_SETTINGS } from '../builders/specs.ts';
import { CaptureRig, isSequence, numbers, sizeOf, until } from './capture-rig.ts';
import { backupContents, backupNames, wholeLog } from './log-files.ts';

let rig: CaptureRig;

beforeEach(() => {
  rig = new CaptureRig();
});

afterEach(() => rig.cleanUp());

function kept(rotation: Partial<RotationSpec>, rest: Partial<LogSettings> = {}): LogSettings {
  const plain = { ...LOG_SETTINGS.rotation, compress: false };
  return { ...LOG_SETTINGS, ...rest, rotation: { ...plain, ...rotation } };
}

async function say(paths: ReturnType<CaptureRig['service']>, script: string): Promise<void> {
  rig.ended.length = 0;
  rig.run(paths, script);
  await until(() => rig.ended.includes('web'));
}

describe('rotation by size', () => {
  it('puts full files aside in whole lines, newest first, and loses nothing', async () => {
    const paths = rig.service('web', kept({ maxBytes: 50_000, backups: 100 }));
    rig.capture.attach('web', paths);
    await say(paths, 'exec seq 1 200000');
    expect(isSequence(paths.stdoutPath, 200_000)).toBe(true);
    const backups = backupContents(paths.stdoutPath);
    expect(backups.length).toBeGreaterThan(20);
    for (const backup of backups) {
      expect(backup.length).toBeLessThanOrEqual(50_000);
      expect(backup.length).toBeGreaterThan(49_900);
      expect(backup.at(-1)).toBe(0x0a);
    }
    expect(statSync(`${paths.stdoutPath}.1`).mode & 0o777).toBe(0o640);
    expect(rig.troubles).toEqual([]);
  });

  it('keeps as many as are wanted, and none where none is', async () => {
    for (const backups of [3, 0]) {
      const name = `web-${backups}`;
      const paths = rig.service(name, kept({ maxBytes: 10_000, backups }));
      rig.capture.attach(name, paths);
      rig.run(paths, 'exec seq 1 30000');
      await until(() => rig.ended.includes(name));
      expect(backupNames(paths.stdoutPath)).toHaveLength(backups);
      expect(wholeLog(paths.stdoutPath).toString()).toMatch(/\n29999\n30000\n$/);
    }
  });

  it('compresses what was put aside, in the background', async () => {
    const paths = rig.service('web', kept({ maxBytes: 100_000, backups: 100, compress: true }));
    rig.capture.attach('web', paths);
    await say(paths, 'exec seq 1 200000');
    await until(() => backupNames(paths.stdoutPath).every((name) => name.endsWith('.gz')));
    expect(isSequence(paths.stdoutPath, 200_000)).toBe(true);
    const compressed = statSync(`${paths.stdoutPath}.1.gz`);
    expect([compressed.mode & 0o777, compressed.uid]).toEqual([0o640, 0]);
    expect(readdirSync(join(rig.directory, 'web')).filter((name) => name.endsWith('.tmp'))).toEqual(
      [],
    );
  });

  it('follows new settings from the next byte on, without a new capture', async () => {
    const paths = rig.service('web', kept({ maxBytes: 1_000_000 }));
    const fd = rig.hold(paths.stdoutFifo);
    rig.capture.attach('web', paths);
    writeSync(fd, numbers(200));
    await until(() => sizeOf(paths.stdoutPath) > 0);
    expect(backupNames(paths.stdoutPath)).toEqual([]);
    rig.capture.attach('web', { ...paths, settings: kept({ maxBytes: 500, backups: 1 }) });
    writeSync(fd, 'next\n');
    await until(() => backupNames(paths.stdoutPath).length === 1);
    expect(readFileSync(paths.stdoutPath, 'utf8')).toBe('next\n');
    expect(readFileSync(`${paths.stdoutPath}.1`, 'utf8')).toBe(numbers(200));
  });

  it('does not put a file aside that was emptied in place', async () => {
    const paths = rig.service('web', kept({ maxBytes: 1_000 }));
    const fd = rig.hold(paths.stdoutFifo);
    rig.capture.attach('web', paths);
    writeSync(fd, `${'x'.repeat(900)}\n`);
    await until(() => sizeOf(paths.stdoutPath) === 901);
    truncateSync(paths.stdoutPath);
    writeSync(fd, `${'y'.repeat(900)}\n`);
    await until(() => sizeOf(paths.stdoutPath) === 901);
    expect(backupNames(paths.stdoutPath)).toEqual([]);
  });

  it('keeps both streams of one file apart, and rotates that once', async () => {
    const paths = rig.service('web', kept({ maxBytes: 50_000, backups: 100 }));
    rig.capture.attach('web', { ...paths, stderrPath: paths.stdoutPath });
    await say(paths, 'seq 1 50000 & seq -f e%.0f 1 50000 >&2; wait');
    const lines = wholeLog(paths.stdoutPath).toString().trimEnd().split('\n');
    expect(lines.filter((line) => !line.startsWith('e')).join('\n')).toBe(
      numbers(50_000).trimEnd(),
    );
    expect(lines.filter((line) => line.startsWith('e'))).toHaveLength(50_000);
  });

  it('writes nothing through links or names of others, says so, and goes on', async () => {
    const paths = rig.service('web', kept({ maxBytes: 10_000, backups: 5, compress: true }));
    const outside = join(rig.directory, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'target'), 'untouched');
    symlinkSync(join(outside, 'target'), `${paths.stdoutPath}.1`);
    symlinkSync(join(outside, 'dangling'), `${paths.stdoutPath}.2.gz`);
    linkSync(join(outside, 'target'), `${paths.stdoutPath}.4`);
    symlinkSync(join(outside, 'temporary'), join(rig.directory, 'web', '.out.log.gz.tmp'));
    rig.capture.attach('web', paths);
    await say(paths, 'exec seq 1 7000');
    expect(rig.troubles).toEqual([
      expect.stringMatching(/^web: left alone .*out\.log\.1.*\.2\.gz/),
    ]);
    const ours = [3, 5, 6].map((number) => `${paths.stdoutPath}.${number}.gz`);
    await until(() => ours.every((file) => existsSync(file)));
    const parts = ours.toReversed().map((file) => gunzipSync(readFileSync(file)).toString());
    expect(parts.join('') + readFileSync(paths.stdoutPath, 'utf8')).toBe(numbers(7_000));
    expect(readdirSync(outside)).toEqual(['target']);
    expect(readFileSync(join(outside, 'target'), 'utf8')).toBe('untouched');
  });

  it('says that it cannot rotate, and writes on in the same file', async () => {
    const folder = join(rig.directory, 'web');
    const paths = rig.service('web', kept({ maxBytes: 10_000 }));
    rig.capture.attach('web', paths);
    const fd = rig.hold(paths.stdoutFifo);
    writeSync(fd, 'first\n');
    await until(() => sizeOf(paths.stdoutPath) > 0);
    renameSync(folder, `${folder}-gone`);
    writeFileSync(folder, 'no folder');
    const moved = join(`${folder}-gone`, 'out.log');
    writeSync(fd, numbers(5_000));
    await until(() => rig.troubles.length > 0);
    expect(rig.troubles[0]).toContain('cannot');
    expect(readFileSync(moved, 'utf8').startsWith('first\n1\n2\n')).toBe(true);
  });
});

describe('rotation, killed at any moment', () => {
  const source = join(import.meta.dirname, '../../src');

  it('has neither lost nor overwritten a backup', async () => {
    const path = join(rig.directory, 'out.log');
    const script = `
      import { statSync, writeFileSync, writeSync, existsSync } from 'node:fs';
      import { rotateFile } from '${source}/logs/backups.ts';
      const path = ${JSON.stringify(path)};
      let next = Number(process.argv[1]);
      for (;;) {
        // As a keeper finds it: what is there is not written again.
        if (!existsSync(path)) writeFileSync(path, next++ + '\\n');
        const { ino: inode, dev: device } = statSync(path);
        rotateFile(path, { inode, device }, 1_000);
        writeSync(1, '.');
      }`;
    let last = 0;
    for (let kills = 0; kills < 12; kills += 1) {
      const args = ['--input-type=module', '--eval', script, String(last + 1)];
      const child = rig.adopt(spawn(process.execPath, args, { detached: true }));
      let rotations = 0;
      child.stdout?.on('data', (dots: Buffer) => {
        rotations += dots.length;
      });
      await until(() => rotations >= 5);
      await delay(Math.random() * 10);
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      const text = wholeLog(path).toString();
      last = text.split('\n').length - 1;
      // A file that was made and not yet written to says nothing.
      expect(text).toBe(last === 0 ? '' : numbers(last));
    }
    expect(last).toBeGreaterThan(50);
  });

  it('goes on with the compression that was under way', async () => {
    const paths = rig.service('web', kept({ maxBytes: 1_000, backups: 20, compress: true }));
    const folder = join(rig.directory, 'web');
    // As a kill leaves it: half a file, and one between its name and the removal of the plain one.
    writeFileSync(join(folder, '.out.log.gz.tmp'), 'half');
    writeFileSync(`${paths.stdoutPath}.1`, 'c\n');
    writeFileSync(`${paths.stdoutPath}.2`, 'b\n');
    writeFileSync(`${paths.stdoutPath}.2.gz`, gzipSync('b\n'));
    writeFileSync(`${paths.stdoutPath}.4.gz`, gzipSync('a\n'));
    rig.capture.attach('web', paths);
    await until(
      () => backupNames(paths.stdoutPath).join() === 'out.log.1.gz,out.log.2.gz,out.log.4.gz',
    );
    await until(() => !existsSync(join(folder, '.out.log.gz.tmp')));
    expect(wholeLog(paths.stdoutPath).toString()).toBe('a\nb\nc\n');
    expect(rig.troubles).toEqual([]);
  });
});
