import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Instance, startInstance } from './harness.ts';
import { waitFor } from './wait-for.ts';

/** Which of these the kernel of this host has for our services is another question in each place. */
const ASKED = { max_cpu: '500m', max_memory: '64MiB', max_pids: 50 };

/** Key, file and value in it. */
const LIMITS = [
  ['max_cpu', 'cpu.max', '50000 100000'],
  ['max_memory', 'memory.max', '67108864'],
  ['max_pids', 'pids.max', '50'],
] as const;

test('a service with limits runs, and each limit is in force or named as one that is not', async () => {
  const instance = await startInstance();
  instance.defineScript('web', 'exec sleep 1000', { resources: ASKED });
  const [pid] = await instance.running('web', 1);
  const { conditions } = await instance.phase('web', 'RUNNING');
  const said = conditions.find(({ type }) => type === 'LimitsUnsupported')?.message ?? '';
  for (const [key, file, value] of LIMITS) {
    const written = read(instance, file);
    if (written === null) expect(said).toContain(`resources.${key}: ${file} needs the`);
    else expect([written, said.includes(`resources.${key}:`)]).toEqual([value, false]);
  }
  expect((await instance.pmctl('describe', 'web')).stdout).toMatch(
    /resources\.max_memory +\d+ +64MiB/,
  );

  // Without them there is nothing to complain of, and the process stays.
  instance.defineScript('web', 'exec sleep 1000');
  const isContent = async () => {
    const row = await instance.status('web');
    return (
      row?.generation === 2 && !row.conditions.some(({ type }) => type === 'LimitsUnsupported')
    );
  };
  await waitFor(isContent, { what: 'the limits to be gone' });
  expect(instance.pidsOf('web')).toEqual([pid]);
});

function read(instance: Instance, file: string): string | null {
  try {
    return readFileSync(`${instance.cgroup}/pm-web/${file}`, 'utf8').trim();
  } catch {
    return null;
  }
}
