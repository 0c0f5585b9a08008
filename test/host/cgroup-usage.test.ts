import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cgroupAt } from '../../src/host/cgroup.ts';
import { readUsage } from '../../src/host/cgroup-usage.ts';
import { waitFor } from '../e2e/wait-for.ts';
import { scratchCgroup, startIn } from './rig.ts';

test('CPU time grows while something computes; memory is told where the kernel counts it', async () => {
  const cgroup = scratchCgroup();
  startIn(cgroup, 'while :; do :; done');
  await waitFor(() => (readUsage(cgroup).cpuMs ?? 0) >= 20, { what: 'CPU time to be used' });
  const isCounted = existsSync(join(cgroup, 'memory.peak'));
  expect((readUsage(cgroup).peakMemoryBytes ?? 0) > 0).toBe(isCounted);
});

test('what cannot be read is not known, and not nothing', () => {
  expect(readUsage(cgroupAt('/sys/fs/cgroup/no-such-group'))).toEqual({
    cpuMs: null,
    peakMemoryBytes: null,
  });
});
