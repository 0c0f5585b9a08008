import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tailLines } from '../../src/logs/tail.ts';

const MIB = 1024 * 1024;
const KIB = 1024;

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tail-'));
  path = join(directory, 'log');
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('tailLines', () => {
  it.each([
    ['the last lines', 'a\nb\nc\n', 2, ['b', 'c']],
    ['an unfinished last line, too', 'a\nb\nc', 2, ['b', 'c']],
    ['every line when there are fewer', 'a\nb\n', 9, ['a', 'b']],
    ['empty lines', 'a\n\n\n', 2, ['', '']],
    ['nothing of an empty file', '', 5, []],
    ['nothing when none are asked for', 'a\n', 0, []],
  ])('gives %s', (_what, content, lines, expected) => {
    writeFileSync(path, content);
    expect(tail(lines)).toEqual({ lines: expected, truncated: false });
  });

  it('finds lines that lie across the blocks it reads', () => {
    const all = Array.from({ length: 50_000 }, (_, at) => `line ${at}`);
    writeFileSync(path, `${all.join('\n')}\n`);
    expect(tail(30_000)).toEqual({ lines: all.slice(-30_000), truncated: false });
  });

  it('looks no further back than it may, and says that lines are missing', () => {
    writeFileSync(path, `${'x'.repeat(99)}\n`.repeat(1_000));
    const { lines, truncated } = tailLines(path, { lines: 500, maxBytes: 1_050 });
    expect([lines.length, lines[1], truncated]).toEqual([11, 'x'.repeat(99), true]);
    expect(lines[0]).toBe(`[…] ${'x'.repeat(49)}`);
  });

  it('shows the end of a line that is larger than all it may read', () => {
    writeFileSync(path, `${'x'.repeat(3 * MIB)}é`);
    const { lines, truncated } = tailLines(path, { lines: 1, maxBytes: 1_000 });
    expect([lines, truncated]).toEqual([[`[…] ${'x'.repeat(998)}é`], true]);
  });

  it('cuts a long line behind a whole character', () => {
    writeFileSync(path, `a${'é'.repeat(40 * KIB)}\nshort\n`);
    const { lines, truncated } = tail(2);
    expect(lines[0]).toBe(`a${'é'.repeat(32 * KIB - 1)} [… ${16 * KIB + 1} bytes more]`);
    expect([lines[1], truncated]).toEqual(['short', true]);
  });

  it('does not show half a character where the reading begins', () => {
    writeFileSync(path, `${'👩'.repeat(100)}\n`);
    const { lines } = tailLines(path, { lines: 1, maxBytes: 19 });
    expect(lines).toEqual([`[…] ${'👩'.repeat(4)}`]);
  });

  it('shows bytes that are no UTF-8 as replacement characters, and NUL and BOM as they are', () => {
    writeFileSync(path, Buffer.from([0xff, 0x61, 0xc3, 0x0a, 0xef, 0xbb, 0xbf, 0x00, 0x62, 0x0a]));
    expect(tail(2).lines).toEqual(['\ufffda\ufffd', '\ufeff\0b']);
  });

  it('has nothing to show of a file, or a folder of it, that is not there', () => {
    expect(tail(5)).toEqual({ lines: [], truncated: false });
    path = join(directory, 'no folder', 'log');
    expect(tail(5)).toEqual({ lines: [], truncated: false });
  });

  it('refuses what is no regular file', () => {
    mkdirSync(path);
    expect(() => tail(5)).toThrow(path);
    symlinkSync('/dev/zero', join(directory, 'zero'));
    path = join(directory, 'zero');
    expect(() => tail(5)).toThrow(/zero/);
  });

  it('needs little memory for the end of a large file', () => {
    writeFileSync(path, Buffer.alloc(64 * MIB, `${'x'.repeat(63)}\n`));
    const before = process.memoryUsage().arrayBuffers;
    expect(tail(100).lines).toHaveLength(100);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MIB);
  });
});

function tail(lines: number) {
  return tailLines(path, { lines, maxBytes: MIB });
}
