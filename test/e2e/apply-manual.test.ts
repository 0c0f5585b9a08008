import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Instance } from './harness.ts';
import { waitFor } from './wait-for.ts';

const MANUAL = '  apply: manual\n';

async function startManual(define: (instance: Instance) => void): Promise<Instance> {
  const instance = new Instance(MANUAL);
  define(instance);
  await instance.start();
  return instance;
}

/** Waits until status counts so many changes that wait. */
async function pending(instance: Instance, warning: string): Promise<void> {
  const isSaid = async () => (await instance.pmctl('status')).stdout.includes(warning);
  await waitFor(isSaid, { what: `status to say ${warning}` });
}

test('the first start applies everything; an edit after it waits for an update', async () => {
  const instance = await startManual((each) => each.defineScript('web', 'exec sleep 1000'));
  const before = await instance.running('web', 1);
  await instance.phase('web', 'RUNNING');

  const file = instance.defineScript('web', 'exec sleep 2000');
  await pending(instance, '1 change is pending: pmctl diff shows it, pmctl update applies it');
  const status = await instance.status('web');
  expect(status).toMatchObject({ phase: 'RUNNING', generation: 1, pids: before });
  expect(status?.conditions.map(({ type }) => type)).toContain('ChangePending');
  expect((await instance.events('web')).map(({ kind }) => kind)).toContain('definition.pending');

  const diff = await instance.pmctl('diff', '--exit-code');
  expect(diff.code).toBe(10);
  expect(diff.stdout).toBe(
    `web  restart  (${file}, generation 1 → 2)
  process.start_command: ["/bin/sh","-c","exec sleep 1000"] → ["/bin/sh","-c","exec sleep 2000"]   web.yaml:1
1 restart; 0 unchanged
`,
  );
  expect((await instance.pmctl('update', '--dry-run')).stdout).toBe(diff.stdout);
  expect(instance.pidsOf('web')).toEqual(before);

  const update = await instance.pmctl('update');
  expect(update).toMatchObject({ code: 0, stdout: 'changed: web\n' });
  const isNew = () => {
    const [pid] = instance.pidsOf('web');
    return pid !== undefined && pid !== before[0];
  };
  await waitFor(isNew, { what: 'the new process of web' });
  await instance.phase('web', 'RUNNING');
  expect((await instance.status('web'))?.conditions.map(({ type }) => type)).toEqual(['Populated']);
  const after = await instance.pmctl('diff', '--exit-code');
  expect(after).toMatchObject({ code: 0, stdout: 'nothing is pending; 1 unchanged\n' });
});

test('new and removed definitions wait; operators act on what is in force', async () => {
  const instance = await startManual((each) => each.defineScript('old', 'exec sleep 1000'));
  const before = await instance.running('old', 1);
  await instance.phase('old', 'RUNNING');

  rmSync(join(instance.configDirectory, 'old.yaml'));
  instance.defineScript('fresh', 'exec sleep 1000');
  await pending(instance, '2 changes are pending');
  expect(await instance.status('fresh')).toBeUndefined();
  expect(instance.pidsOf('old')).toEqual(before);
  const { stdout } = await instance.pmctl('diff');
  expect(stdout).toContain('fresh  start  (');
  expect(stdout).toContain('old  remove  (');

  expect((await instance.pmctl('restart', 'old')).code).toBe(0);
  expect(instance.pidsOf('old')).toHaveLength(1);
  expect((await instance.pmctl('start', 'fresh')).code).toBe(4);

  const update = await instance.pmctl('update');
  expect(update.stdout).toBe('new: fresh\nremoved: old\n');
  await instance.gone('old');
  await instance.running('fresh', 1);
});

test('what is wrong is told without an update, and what was in force survives a restart', async () => {
  const instance = await startManual((each) => {
    each.defineScript('web', 'exec sleep 1000');
    each.defineScript('gone', 'exec sleep 1000');
  });
  await instance.running('web', 1);
  await instance.running('gone', 1);
  await instance.phase('gone', 'RUNNING');
  instance.define('broken', 'process: [not, a, map]\n');
  await instance.phase('broken', 'INVALID');

  expect(await instance.endDaemon('SIGTERM')).toBe(0);
  instance.defineScript('web', 'exec sleep 2000');
  rmSync(join(instance.configDirectory, 'gone.yaml'));
  rmSync(join(instance.configDirectory, 'broken.yaml'));
  instance.defineScript('fresh', 'exec sleep 1000');
  await instance.start();

  await instance.running('web', 1);
  await instance.running('gone', 1);
  expect((await instance.status('web'))?.generation).toBe(1);
  expect([...(await instance.statuses()).keys()]).toEqual(['gone', 'web']);
  await pending(instance, '3 changes are pending');
  const { stdout } = await instance.pmctl('diff');
  expect(stdout.split('\n').at(-2)).toBe('1 remove, 1 restart, 1 start; 0 unchanged');
});

test('enable and disable apply at once, for the service that they name', async () => {
  const instance = await startManual((each) => {
    each.defineScript('web', 'exec sleep 1000');
    each.defineScript('db', 'exec sleep 1000');
  });
  await instance.running('web', 1);
  const before = await instance.running('db', 1);
  await instance.phase('db', 'RUNNING');
  instance.defineScript('db', 'exec sleep 2000');
  await pending(instance, '1 change is pending');

  expect((await instance.pmctl('disable', 'web')).code).toBe(0);
  expect(instance.pidsOf('web')).toEqual([]);
  expect(instance.pidsOf('db')).toEqual(before);
  await pending(instance, '1 change is pending');
  expect((await instance.pmctl('enable', 'web')).code).toBe(0);
  expect(instance.pidsOf('web')).toHaveLength(1);
  expect(instance.pidsOf('db')).toEqual(before);
});
