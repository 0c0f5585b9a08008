import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LogOutput } from '../../src/daemon/log-output.ts';

/** Takes `spaceBytes`, at most ten at a time, then says that it is full. */
function disk(spaceBytes: number) {
  const state = { spaceBytes, text: '' };
  const output = new LogOutput((bytes) => {
    if (state.spaceBytes <= 0) throw new Error('ENOSPC');
    const written = bytes.subarray(0, Math.min(state.spaceBytes, 10));
    state.spaceBytes -= written.length;
    state.text += Buffer.from(written).toString();
    return written.length;
  });
  return { state, output };
}

test('lines are written whole, in as many pieces as it takes', () => {
  const { state, output } = disk(1_000);
  output.write('the first line\n');
  output.write('the second line\n');
  expect(state.text).toBe('the first line\nthe second line\n');
});

test('lines that a full disk does not take are lost, and counted once there is space', () => {
  const { state, output } = disk(9);
  output.write('first\n');
  output.write('torn line\n');
  for (let at = 0; at < 3; at += 1) output.write('lost\n');
  state.spaceBytes = 1_000;
  output.write('last\n');
  output.write('and on\n');
  expect(state.text).toBe(
    'first\ntor\n{"level":"warn","lines":4,"msg":"log lines lost"}\nlast\nand on\n',
  );
});

test('a daemon whose log is on a full disk goes on', () => {
  const script = `
    import { createLogger, logEvent } from '${join(import.meta.dirname, '../../src/daemon/event-log.ts')}';
    const logger = createLogger();
    for (const message of ['a', 'b'])
      logEvent(logger, { atMs: 0, service: null, kind: 'x.y', message, actor: 'a', data: {} });
    process.stderr.write('goes on');`;
  const full = openSync('/dev/full', 'w');
  const child = ['sh', '-c', 'exec "$@" 2>&1 >&3', 'sh', process.execPath];
  try {
    const [file = '', ...args] = [...child, '--input-type=module', '--eval', script];
    const stdio = ['ignore', 'pipe', 'inherit', full] as const;
    expect(execFileSync(file, args, { stdio: [...stdio], timeout: 10_000 }).toString()).toBe(
      'goes on',
    );
  } finally {
    closeSync(full);
  }
});
