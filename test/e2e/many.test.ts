import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Instance, startInstance } from './harness.ts';
import { waitFor } from './wait-for.ts';

const COUNT = 200;
/** Two shared cores; a machine of one's own needs a quarter of it. */
const DEADLINE_MS = 60_000;

test('two hundred services dropped at once all run, and vanishing at once they need a confirmation', async () => {
  const instance = await startInstance();
  const names = Array.from({ length: COUNT }, (_, index) => `trivial-${index}`);
  const folder = instance.folder('shared');
  for (const name of names) {
    instance.define(name, {
      process: { working_directory: folder, start_command: ['sleep', '1000'] },
      logs: { stdout: `logs/${name}.out`, stderr: `logs/${name}.err` },
    });
  }

  await waitFor(() => populated(instance, names).length === COUNT, {
    what: `${COUNT} services to run`,
    deadlineMs: DEADLINE_MS,
  });
  const allRunning = async () =>
    [...(await instance.statuses()).values()].filter(({ phase }) => phase === 'RUNNING').length ===
    COUNT;
  await waitFor(allRunning, { what: 'all of them to be shown as running' });

  const kept = names.slice(0, COUNT / 4);
  const removed = names.slice(COUNT / 4);
  for (const name of removed) rmSync(join(instance.configDirectory, `${name}.yaml`));
  const braked = await waitFor(
    async () => {
      const status = await instance.pmctl('status');
      return /--prune/.test(status.stdout + status.stderr) ? status : null;
    },
    { what: 'the brake to be shown' },
  );
  expect(braked.stdout + braked.stderr).toMatch(/gone at once/);
  expect(populated(instance, names)).toHaveLength(COUNT);

  expect((await instance.pmctl('update', '--prune')).code).toBe(0);
  await waitFor(() => populated(instance, removed).length === 0, {
    what: 'the removed services to stop',
    deadlineMs: DEADLINE_MS,
  });
  await Promise.all(removed.map((name) => instance.gone(name)));
  expect(populated(instance, kept)).toHaveLength(kept.length);
  const isForgotten = async () => (await instance.statuses()).size === kept.length;
  await waitFor(isForgotten, { what: 'the removed services to be forgotten' });
}, 240_000);

function populated(instance: Instance, names: readonly string[]): readonly string[] {
  return names.filter((name) => instance.pidsOf(name).length > 0);
}
