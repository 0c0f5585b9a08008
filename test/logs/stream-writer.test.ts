import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/lib/clock.ts';
import type { LineSource } from '../../src/logs/line-turns.ts';
import { StreamWriter } from '../../src/logs/stream-writer.ts';
import { LOG_SETTINGS } from '../builders/specs.ts';

let directory: string;
let path: string;
let nowMs: number;
let timers: Set<() => void>;
let troubles: string[];
let writers: StreamWriter[];
let mounted: string[];
let source: TestSource;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'writer-'));
  path = join(directory, 'logs', 'out.log');
  source = new TestSource();
  nowMs = 10_000;
  timers = new Set();
  troubles = [];
  writers = [];
  mounted = [];
});

afterEach(() => {
  for (const writer of writers) writer.close();
  for (const mount of mounted) execFileSync('umount', [mount]);
  rmSync(directory, { recursive: true, force: true });
});

describe('StreamWriter', () => {
  it('makes its file with the first byte, and not for everyone to read', () => {
    const writer = open();
    expect(existsSync(path)).toBe(false);
    write(writer, 'a\n');
    expect([content(), statSync(path).mode & 0o777]).toEqual(['a\n', 0o640]);
  });

  it('appends to what is there, and writes each piece at once', () => {
    mkdirSync(join(directory, 'logs'));
    writeFileSync(path, 'before\n');
    const writer = open();
    write(writer, 'one\ntw');
    expect(content()).toBe('before\none\ntw');
    write(writer, 'o\n');
    expect(content()).toBe('before\none\ntwo\n');
  });

  it('completes an unfinished last line when the run is over, and only then', () => {
    const writer = open();
    write(writer, 'finished\n');
    writer.endRun(source);
    write(writer, 'not finish');
    expect(content()).toBe('finished\nnot finish');
    writer.endRun(source);
    writer.endRun(source);
    expect(content()).toBe('finished\nnot finish\n');
  });

  it('leaves a line unfinished when it is closed: the service may be in the middle of it', () => {
    const writer = open();
    write(writer, 'half a li');
    writer.removeSource(source);
    writer.close();
    expect(content()).toBe('half a li');
  });

  it('writes a new file where the old one was removed or renamed, looking once a second', () => {
    const writer = open();
    write(writer, 'a\n');
    unlinkSync(path);
    nowMs += 1_001;
    write(writer, 'b\n');
    expect(content()).toBe('b\n');
    renameSync(path, `${path}.old`);
    nowMs += 1_001;
    write(writer, 'c\n');
    expect([content(), readFileSync(`${path}.old`, 'utf8')]).toEqual(['c\n', 'b\n']);
    expect(troubles).toEqual([]);
  });

  it('writes through a link that only root can have put there', () => {
    mkdirSync(join(directory, 'disk'));
    symlinkSync(join(directory, 'disk'), join(directory, 'logs'));
    const writer = open();
    for (const line of ['one\n', 'two\n']) {
      write(writer, line);
      nowMs += 1_001;
    }
    expect(readFileSync(join(directory, 'disk', 'out.log'), 'utf8')).toBe('one\ntwo\n');
    expect(troubles).toEqual([]);
  });

  it('follows no link that a user could have put there, says so once, and counts what it drops', () => {
    const outside = join(directory, 'outside');
    mkdirSync(join(directory, 'logs'), { mode: 0o777 });
    execFileSync('chmod', ['0777', join(directory, 'logs')]);
    symlinkSync(outside, path);
    const writer = open();
    for (const line of ['one\n', 'two\n']) {
      write(writer, line);
      nowMs += 2_000;
    }
    expect(existsSync(outside)).toBe(false);
    expect(troubles).toEqual([expect.stringContaining(`cannot write '${path}'`)]);
    unlinkSync(path);
    write(writer, 'three\n');
    expect(content()).toMatch(/^\[processmaster\] 8 bytes of output were dropped: .+\nthree\n$/);
  });

  it('writes to no device', () => {
    path = '/dev/full';
    const writer = open();
    write(writer, 'x\n');
    expect(troubles).toHaveLength(1);
  });

  it('tries a file that failed again after a second, not with every piece', () => {
    mkdirSync(path, { recursive: true });
    const writer = open();
    write(writer, 'a\n');
    rmSync(path, { recursive: true });
    nowMs += 900;
    write(writer, 'b\n');
    expect(existsSync(path)).toBe(false);
    nowMs += 200;
    write(writer, 'c\n');
    expect(content()).toMatch(/^\[processmaster\] 4 bytes .+\nc\n$/);
  });

  it('drops what a full disk does not take, and accounts for every byte when there is space', () => {
    mountTmpfs('size=128k');
    const ballast = join(directory, 'ballast');
    writeFileSync(ballast, Buffer.alloc(64 * 1024));
    const writer = open();
    const line = `${'x'.repeat(999)}\n`;
    for (let at = 0; at < 100; at += 1) write(writer, line);
    expect(troubles).toEqual([expect.stringContaining('No space left on device')]);
    rmSync(ballast);
    nowMs += 1_001;
    write(writer, 'space again\n');
    const [before = '', dropped, after] = content().split(
      /\n\[processmaster\] (\d+) bytes of output were dropped: No space left on device.*\n/,
    );
    // The newline before the notice is the line's own or the one that ended it in the middle.
    const written = before.length + (Number(dropped) + before.length === 100_000 ? 0 : 1);
    expect(written + Number(dropped)).toBe(100_000);
    expect(after).toBe('space again\n');
  });

  it('drops what a broken disk does not take, says so once, and counts it when it is well again', () => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
    // Nothing is mapped at address 0, so the kernel answers each write with EIO.
    execFileSync('mount', ['--bind', `/proc/${process.pid}/mem`, path]);
    const writer = open();
    try {
      for (let at = 0; at < 3; at += 1) {
        write(writer, 'lost\n');
        nowMs += 1_001;
      }
    } finally {
      execFileSync('umount', ['--lazy', path]);
    }
    expect(troubles).toEqual([expect.stringMatching(/cannot write '.+': Input\/output error/)]);
    write(writer, 'well again\n');
    expect(content()).toMatch(
      /^\[processmaster\] 15 bytes of output were dropped: Input\/output error.*\nwell again\n$/,
    );
  });

  it('says again that a disk is full when that happens again', () => {
    mountTmpfs('size=64k');
    const writer = open();
    for (let at = 0; at < 2; at += 1) {
      write(writer, 'x'.repeat(100_000));
      execFileSync('truncate', ['-s', '0', path]);
      nowMs += 1_001;
      write(writer, 'fine\n');
    }
    expect(troubles).toHaveLength(2);
  });

  it('says what was dropped when it is closed, if that is possible by then', () => {
    mkdirSync(path, { recursive: true });
    const writer = open();
    write(writer, 'lost\n');
    rmSync(path, { recursive: true });
    writer.close();
    expect(content()).toMatch(/^\[processmaster\] 5 bytes of output were dropped/);
  });

  it('holds the other streams of a file while a line is unfinished', () => {
    const writer = open();
    const other = new TestSource();
    writer.addSource(other);
    write(writer, 'begun, ');
    expect([source.isHeld, other.isHeld]).toEqual([false, true]);
    write(writer, 'ended\n');
    expect([source.isHeld, other.isHeld]).toEqual([false, false]);
  });

  it('does not wait for a prompt for long, and keeps the others out of its line', () => {
    const writer = open();
    const other = new TestSource();
    writer.addSource(other);
    write(writer, 'password: ');
    for (const fire of timers) fire();
    expect(other.isHeld).toBe(false);
    writer.write(Buffer.from('warning\n'), other);
    write(writer, 'ok\n');
    expect(content()).toBe('password: \nwarning\nok\n');
  });

  it('releases the others when the stream in the middle of a line goes away', () => {
    const writer = open();
    const other = new TestSource();
    writer.addSource(other);
    write(writer, 'half');
    expect(writer.removeSource(source)).toBe(false);
    expect(other.isHeld).toBe(false);
    writer.write(Buffer.from('whole\n'), other);
    expect(content()).toBe('half\nwhole\n');
    expect(writer.removeSource(other)).toBe(true);
  });
});

class TestSource implements LineSource {
  isHeld = false;

  holdForLine(): void {
    this.isHeld = true;
  }

  releaseFromLine(): void {
    this.isHeld = false;
  }
}

function open(): StreamWriter {
  const clock: Clock = {
    wallMs: () => nowMs,
    monotonicMs: () => nowMs,
    schedule: (_delayMs, callback) => {
      timers.add(callback);
      return () => timers.delete(callback);
    },
  };
  const writer = new StreamWriter({
    path,
    clock,
    settings: LOG_SETTINGS,
    budgetBytes: () => Number.POSITIVE_INFINITY,
    onTrouble: (message) => troubles.push(message),
    onRotated: () => {},
  });
  writer.addSource(source);
  writers.push(writer);
  return writer;
}

function write(writer: StreamWriter, text: string): void {
  writer.write(Buffer.from(text), source);
}

function content(): string {
  return readFileSync(path, 'utf8');
}

function mountTmpfs(option: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', option, 'tmpfs', directory]);
  mounted.push(directory);
}
