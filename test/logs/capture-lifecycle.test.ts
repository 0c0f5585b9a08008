import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import {
  CaptureRig,
  DEADLINE_MS,
  isSequence,
  lineCount,
  MIB,
  numbers,
  sizeOf,
  until,
} from './capture-rig.ts';

let rig: CaptureRig;

beforeEach(() => {
  rig = new CaptureRig();
});

afterEach(() => rig.cleanUp());

describe('LogCapture, over the lives of services and daemons', () => {
  it('reads on where the reader before it stopped, while the service blocks and does not die', async () => {
    const paths = rig.service('web');
    rig.capture.attach('web', paths);
    const child = rig.run(paths, 'exec seq 1 2000000');
    await until(() => sizeOf(paths.stdoutPath) > MIB);
    rig.replaceCapture();
    expect([child.exitCode, rig.capture.isAttached('web')]).toEqual([null, false]);
    rig.capture.attach('web', paths);
    await until(() => rig.ended.includes('web'));
    expect(isSequence(paths.stdoutPath, 2_000_000)).toBe(true);
  });

  it('reads what was said while no daemon was there, after the one before was killed', async () => {
    const paths = rig.service('web');
    const source = join(import.meta.dirname, '../../src');
    const script = `
      import { systemClock as clock } from '${source}/lib/clock.ts';
      import { LogCapture } from '${source}/logs/capture.ts';
      const capture = new LogCapture({ clock, onTrouble: console.error, onEnded: () => {} });
      capture.attach('web', ${JSON.stringify(paths)});`;
    const args = ['--input-type=module', '--eval', script];
    const daemon = rig.adopt(spawn(process.execPath, args, { detached: true }));
    // The next part waits for a file, so the kill hits when nothing is between pipe and file.
    const go = join(rig.directory, 'go');
    const child = rig.run(
      paths,
      `seq 1 1000; while ! [ -e ${go} ]; do sleep 0.02; done; seq 1001 3000; printf tail`,
    );
    await until(() => lineCount(paths.stdoutPath) === 1_000);
    daemon.kill('SIGKILL');
    await once(daemon, 'exit');
    // When the last process that has a FIFO open exits, what is in it is gone.
    rig.hold(paths.stdoutFifo);
    writeFileSync(go, '');
    await until(() => child.exitCode === 0);
    expect(lineCount(paths.stdoutPath)).toBe(1_000);
    rig.capture.attach('web', paths);
    await rig.capture.drain('web', DEADLINE_MS);
    expect(readFileSync(paths.stdoutPath, 'utf8')).toBe(`${numbers(3_000)}tail\n`);
  });

  it('goes on with a line that the daemon before left unfinished', async () => {
    const paths = rig.service('web');
    const fd = rig.hold(paths.stdoutFifo);
    rig.capture.attach('web', paths);
    writeSync(fd, 'first half, ');
    await until(() => sizeOf(paths.stdoutPath) > 0);
    rig.replaceCapture();
    rig.capture.attach('web', paths);
    writeSync(fd, 'second half\n');
    await rig.capture.drain('web', DEADLINE_MS);
    expect(readFileSync(paths.stdoutPath, 'utf8')).toBe('first half, second half\n');
  });

  it('stays attached over the end of a run and reads the next one', async () => {
    const paths = rig.service('web');
    for (const text of ['one', 'two', 'three']) {
      rig.ended.length = 0;
      rig.capture.attach('web', paths);
      rig.run(paths, `printf ${text}`);
      await until(() => rig.ended.includes('web'));
      expect(rig.capture.isAttached('web')).toBe(true);
    }
    expect(readFileSync(paths.stdoutPath, 'utf8')).toBe('one\ntwo\nthree\n');
  });

  it('has nothing open between two runs', async () => {
    const paths = rig.service('web');
    rig.capture.attach('web', paths);
    rig.run(paths, 'printf one');
    expect(descriptorsOf(paths.stdoutFifo)).toBe(1);
    await until(() => rig.ended.includes('web'));
    expect([paths.stdoutFifo, paths.stderrFifo].map(descriptorsOf)).toEqual([0, 0]);
  });

  it('says that a service ended when both its streams did, once', async () => {
    const paths = rig.service('web');
    rig.capture.attach('web', paths);
    rig.run(paths, 'exec 1>/dev/null; echo still here >&2');
    await until(() => rig.ended.length > 0);
    await rig.capture.drain('web', DEADLINE_MS);
    expect([rig.ended, readFileSync(paths.stderrPath, 'utf8')]).toEqual([['web'], 'still here\n']);
  });

  it('goes over to another file without losing or doubling a byte', async () => {
    const paths = rig.service('web');
    rig.capture.attach('web', paths);
    rig.run(paths, 'exec seq 1 1000000');
    await until(() => sizeOf(paths.stdoutPath) > MIB);
    const moved = { ...paths, stdoutPath: join(rig.directory, 'moved.log') };
    rig.capture.attach('web', moved);
    rig.capture.attach('web', moved);
    await until(() => rig.ended.includes('web'));
    expect(sizeOf(moved.stdoutPath)).toBeGreaterThan(0);
    const both = readFileSync(paths.stdoutPath, 'utf8') + readFileSync(moved.stdoutPath, 'utf8');
    expect(both === numbers(1_000_000)).toBe(true);
  });

  it('takes up new FIFOs that replaced the ones at the same paths', async () => {
    const paths = rig.service('web');
    const old = rig.hold(paths.stdoutFifo);
    rig.capture.attach('web', paths);
    writeSync(old, 'old\n');
    unlinkSync(paths.stdoutFifo);
    execFileSync('mkfifo', [paths.stdoutFifo]);
    rig.capture.attach('web', paths);
    writeSync(rig.hold(paths.stdoutFifo), 'new\n');
    await rig.capture.drain('web', DEADLINE_MS);
    expect(readFileSync(paths.stdoutPath, 'utf8')).toBe('old\nnew\n');
  });

  it('drains what is in the pipe although somebody else holds it open', async () => {
    const paths = rig.service('web');
    const fd = rig.hold(paths.stdoutFifo);
    rig.hold(paths.stderrFifo);
    rig.capture.attach('web', paths);
    writeSync(fd, 'last words');
    await rig.capture.drain('web', DEADLINE_MS);
    expect([readFileSync(paths.stdoutPath, 'utf8'), rig.ended]).toEqual(['last words\n', []]);
  });

  it('gives up draining a stream that does not stop, at the deadline', async () => {
    const paths = rig.service('web');
    rig.capture.attach('web', paths);
    rig.run(paths, 'exec yes');
    await until(() => sizeOf(paths.stdoutPath) > 0);
    const startedAtMs = systemClock.monotonicMs();
    await rig.capture.drain('web', 100);
    expect(systemClock.monotonicMs() - startedAtMs).toBeLessThan(5_000);
    await rig.capture.drain('unknown', DEADLINE_MS);
  });

  it('leaves everything as it was when a FIFO cannot be opened', async () => {
    const paths = rig.service('web');
    const fd = rig.hold(paths.stdoutFifo);
    const before = openDescriptors();
    const broken = { ...paths, stderrFifo: join(rig.directory, 'none') };
    expect(() => rig.capture.attach('web', broken)).toThrow(broken.stderrFifo);
    expect([rig.capture.isAttached('web'), openDescriptors()]).toEqual([false, before]);
    rig.capture.attach('web', paths);
    expect(() => rig.capture.attach('web', broken)).toThrow(broken.stderrFifo);
    writeSync(fd, 'still read\n');
    await until(() => sizeOf(paths.stdoutPath) > 0);
    expect(rig.capture.isAttached('web')).toBe(true);
  });

  it('leaves no descriptor open', async () => {
    const before = openDescriptors();
    for (const name of ['a', 'b', 'c']) {
      const paths = rig.service(name);
      rig.capture.attach(name, paths);
      rig.capture.attach(name, paths);
      rig.run(paths, 'echo out; echo err >&2');
      await until(() => rig.ended.includes(name));
    }
    expect(openDescriptors()).toBeGreaterThan(before);
    rig.capture.closeAll();
    await until(() => openDescriptors() === before);
    expect(rig.capture.isAttached('a')).toBe(false);
  });
});

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** How many descriptors of this process lead to a file. */
function descriptorsOf(path: string): number {
  const real = realpathSync(path);
  return readdirSync('/proc/self/fd').filter((fd) => {
    const link = `/proc/self/fd/${fd}`;
    return lstatSync(link, { throwIfNoEntry: false }) !== undefined && readlinkSync(link) === real;
  }).length;
}
