import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describe, expect, it } from 'vitest';
import { errnoOf, isErrno, messageOf, ProcessmasterError } from '../../src/lib/errors.ts';

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const missing = thrownBy(() => readFileSync('/nonexistent'));

describe('an error', () => {
  it('of the system says its errno in words', () => {
    expect(messageOf(missing)).toBe('No such file or directory (ENOENT)');
    expect(errnoOf(missing)).toBe('ENOENT');
    expect(isErrno(missing, 'EACCES', 'ENOENT')).toBe(true);
    expect(isErrno(missing, 'EACCES')).toBe(false);
  });

  it('of ours keeps its own words, and the errno of its cause', () => {
    const ours = new ProcessmasterError('io', 'cannot read it', { stage: 'exec', cause: missing });
    expect(messageOf(ours)).toBe('cannot read it');
    expect(ours).toMatchObject({ code: 'io', stage: 'exec', errno: 'ENOENT', cause: missing });
    expect(errnoOf(new Error('outer', { cause: ours }))).toBe('ENOENT');
  });

  it('of Node itself keeps its words: its code is no errno', () => {
    const misuse = thrownBy(() => parseArgs({ args: ['--nosuch'], options: {} }));
    expect(messageOf(misuse)).toContain("Unknown option '--nosuch'");
    expect(errnoOf(misuse)).toBeUndefined();
  });

  it('of an unknown errno is named by that', () => {
    expect(messageOf(Object.assign(new Error('x'), { code: 'EXDEV' }))).toBe('EXDEV');
  });

  it('may be anything that can be thrown', () => {
    expect(messageOf('words')).toBe('words');
    expect(errnoOf('words')).toBeUndefined();
  });
});
