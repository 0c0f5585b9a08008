import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  bootId,
  privateDirtyBytes,
  processExists,
  processStartedAtMs,
  readCommandLine,
  readProcess,
} from '../../src/host/process-info.ts';
import { waitFor } from '../e2e/wait-for.ts';
import { pidOf, scratchFolder, start } from './rig.ts';

/** Beyond the largest that Linux gives (PID_MAX_LIMIT). */
const NOBODY = 2 ** 22 + 1;

describe('a process', () => {
  test('is read with its parent, its state and its start', () => {
    const info = readProcess(process.pid);
    expect(info).toMatchObject({ pid: process.pid, ppid: process.ppid });
    expect(info?.state).toMatch(/^[RSD]$/);
    expect(info?.startTicks).toBeGreaterThan(0);
  });

  test('may have a name with spaces and parentheses', async () => {
    const program = join(scratchFolder(), 'a) R (b c');
    copyFileSync('/bin/sleep', program);
    const pid = pidOf(start(program, '1000'));
    const named = () => readProcess(pid)?.command === 'a) R (b c';
    await waitFor(named, { what: 'the program' });
    expect(readProcess(pid)).toMatchObject({ pid, ppid: process.pid });
    expect(readCommandLine(pid)).toBe(`${program} 1000`);
  });

  test('that has ended and was not waited for is a zombie', async () => {
    const script = 'sleep 1000 & echo $!; exec sleep 1000';
    const parent = start('/bin/sh', '-c', script);
    let said = '';
    for await (const text of parent.stdout ?? []) {
      said += text;
      if (said.includes('\n')) break;
    }
    const pid = Number(said);
    // The shell would wait for its child; sleep does not.
    const both = [pid, pidOf(parent)];
    const areSleep = () => both.every((one) => readProcess(one)?.command === 'sleep');
    await waitFor(areSleep, { what: 'both to be sleep' });
    process.kill(pid, 'SIGKILL');
    await waitFor(() => readProcess(pid)?.state === 'Z', { what: 'a zombie' });
    expect(processExists(pid)).toBe(true);
    expect(readCommandLine(pid)).toBe('[sleep]');
    expect(privateDirtyBytes(pid)).toBe(null);
  });

  test('that is not there is nobody', () => {
    expect(readProcess(NOBODY)).toBe(null);
    expect(processExists(NOBODY)).toBe(false);
    expect(readCommandLine(NOBODY)).toBe('');
    expect(privateDirtyBytes(NOBODY)).toBe(null);
  });

  test('started when it was started, to some ticks', async () => {
    const before = Date.now();
    const pid = pidOf(start('sleep', '1000'));
    const info = readProcess(pid);
    if (info === null) throw new Error('it is not there');
    const startedAtMs = processStartedAtMs(info);
    expect(startedAtMs).toBeGreaterThan(before - 50);
    expect(startedAtMs).toBeLessThan(Date.now() + 50);
  });

  test('has memory of its own', () => {
    expect(privateDirtyBytes(process.pid)).toBeGreaterThan(1024 * 1024);
  });
});

test('the boot has one name', () => {
  expect(bootId()).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(bootId()).toBe(bootId());
});
