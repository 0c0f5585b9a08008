import { expect, test } from 'vitest';
import { runCommand } from '../../src/host/run-command.ts';
import { rejectionOf } from './rig.ts';

const soon = { timeoutMs: 10_000 };

test('gives the code and both outputs', async () => {
  const result = await runCommand(['sh', '-c', 'echo out; echo err >&2; exit 3'], soon);
  expect(result).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n' });
});

test('gives no code for a death by a signal', async () => {
  const result = await runCommand(['sh', '-c', 'kill -TERM $$'], soon);
  expect(result.code).toBe(null);
});

test('gives it its input, and nothing of the own environment', async () => {
  const result = await runCommand(['sh', '-c', 'cat; env'], { ...soon, input: 'hello\n' });
  expect(result.stdout.split('\n').sort().filter(Boolean)).toEqual([
    'LC_ALL=C.UTF-8',
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
    'PWD=/',
    'hello',
  ]);
});

test('does not mind when its input is not read', async () => {
  const input = 'x'.repeat(1024 * 1024);
  expect((await runCommand(['true'], { ...soon, input })).code).toBe(0);
});

test('ends it when it takes too long', async () => {
  const error = await rejectionOf(runCommand(['sleep', '1000'], { timeoutMs: 50 }));
  expect(error.code).toBe('timeout');
  expect(error.message).toBe(`cannot run 'sleep 1000': it did not end within 50 ms`);
});

test('ends it when it says too much', async () => {
  const error = await rejectionOf(runCommand(['cat', '/dev/zero'], soon));
  expect(error.code).toBe('io');
});

test('says when there is no such program', async () => {
  const error = await rejectionOf(runCommand(['no-such-program'], soon));
  expect([error.code, error.errno]).toEqual(['io', 'ENOENT']);
});
