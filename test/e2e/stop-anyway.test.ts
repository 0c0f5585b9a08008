import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Instance, startInstance } from './harness.ts';
import { childCgroups, isAlive, processField } from './kernel.ts';
import { waitFor } from './wait-for.ts';

test('cgroups that a service made itself are stopped and removed with it', async () => {
  const instance = await startInstance();
  const own = instance.cgroupOf('nester');
  instance.defineScript(
    'nester',
    `for c in a a/b; do mkdir "${own}/$c"; sleep 1000 & echo $! >"${own}/$c/cgroup.procs"; done; exec sleep 1000`,
  );
  const pids = await instance.running('nester', 3);
  expect(childCgroups(own)).toHaveLength(2);

  const { code, stdout } = await instance.pmctl('stop', 'nester');

  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: 'nester: stopped: 3 processes ended by themselves, 0 killed\n',
  });
  expect(pids.filter(isAlive)).toEqual([]);
  await instance.gone('nester');
});

test('a service that was stopped in its tracks is woken to end by itself', async () => {
  const instance = await startInstance();
  instance.defineScript('still', 'trap "echo bye; exit" TERM; while :; do sleep 0.05; done');
  const pid = (await instance.phase('still', 'RUNNING')).main_pid ?? 0;
  process.kill(pid, 'SIGSTOP');
  await waitFor(() => processField(pid, 'State')?.startsWith('T'), { what: 'it to stand still' });

  const { stdout } = await instance.pmctl('stop', 'still');

  expect(stdout).toMatch(/by themselves|by itself/);
  expect(stdout).toContain(', 0 killed');
});

test('a stop ends the waiting of a backoff', async () => {
  const instance = await startInstance();
  instance.defineScript('crasher', 'exit 1', { restart_policy: { restart_backoff_ms: 60_000 } });
  await instance.phase('crasher', 'BACKOFF');

  const { code } = await instance.pmctl('stop', 'crasher');

  expect(code).toBe(0);
  expect(await instance.status('crasher')).toMatchObject({
    phase: 'STOPPED',
    next_start_in_ms: null,
  });
  expect(existsSync(instance.cgroupOf('crasher'))).toBe(false);
});

test('a stop that meets a start cancels it, at whatever moment, and leaves nothing', async () => {
  const instance = await startInstance();
  // A user and its groups are looked up first, so that a start takes its time.
  instance.defineScript('racer', 'exec sleep 1000', { process: { user: 'nobody' } });
  await instance.phase('racer', 'RUNNING');
  await instance.pmctl('stop', 'racer');
  for (let round = 0; round < 12; round += 1) {
    const [started, stopped] = await startAndStop(instance, round * 4);
    expect([started.code, stopped.code]).toEqual([0, 0]);
    expect(instance.pidsOf('racer')).toEqual([]);
    expect(await instance.status('racer')).toMatchObject({ phase: 'STOPPED', pids: [] });
    await instance.gone('racer');
  }
});

async function startAndStop(instance: Instance, stopAfterMs: number) {
  const started = instance.pmctl('start', 'racer', '--no-wait');
  // The two are processes of their own: a little apart, any of their requests may come first.
  await new Promise((resolve) => setTimeout(resolve, stopAfterMs));
  const stopped = await instance.pmctl('stop', 'racer');
  const answered = await started;
  // Where the start came last, it is what holds: the stop is asked for once more.
  const again = instance.pidsOf('racer').length > 0 || (await startsOrRuns(instance));
  return [answered, again ? await instance.pmctl('stop', 'racer') : stopped] as const;
}

async function startsOrRuns(instance: Instance): Promise<boolean> {
  return (await instance.status('racer'))?.phase !== 'STOPPED';
}

test('what the kernel does not let go of is named, and the stop goes on until it is gone', async () => {
  const instance = await startInstance();
  const disk = frozenDisk(instance.root);
  instance.defineScript('stuck', `sleep 1000 & echo >${disk.folder}/file; sleep 1000`, {
    process: { stop_grace_period_ms: 100 },
  });
  const [pid = 0] = await waitFor(
    () => {
      const pids = instance.pidsOf('stuck');
      const asleep = pids.filter((each) => processField(each, 'State')?.startsWith('D'));
      return pids.length === 2 && asleep.length === 1 ? asleep : null;
    },
    { what: 'a process in uninterruptible sleep' },
  );

  const { code, stderr } = await instance.pmctl('stop', 'stuck');

  expect(code).toBe(1);
  expect(stderr).toContain(`the kernel has not let go of ${pid}`);
  const status = await instance.status('stuck');
  expect(status).toMatchObject({ phase: 'STOPPING', actual: 'RUNNING', pids: [pid] });

  disk.thaw();
  await instance.phase('stuck', 'STOPPED');
  await instance.gone('stuck');
});

/** A file system whose writers sleep uninterruptibly until it is thawed. */
function frozenDisk(root: string): { readonly folder: string; readonly thaw: () => void } {
  const image = join(root, 'disk.img');
  const folder = join(root, 'disk');
  mkdirSync(folder);
  execFileSync('truncate', ['-s', '16M', image]);
  execFileSync('mkfs.ext4', ['-q', image]);
  execFileSync('mount', ['-o', 'loop', image, folder]);
  let isFrozen = true;
  const thaw = () => {
    if (isFrozen) execFileSync('fsfreeze', ['--unfreeze', folder]);
    isFrozen = false;
  };
  execFileSync('fsfreeze', ['--freeze', folder]);
  onTestFinished(async () => {
    thaw();
    const unmounted = () => {
      execFileSync('umount', ['--lazy', folder]);
      return readdirSync(folder).length === 0;
    };
    await waitFor(unmounted, { what: 'the file system to be unmounted' });
  });
  return { folder, thaw };
}
