import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Instance, startInstance } from './harness.ts';
import { program } from './programs.ts';
import { waitFor } from './wait-for.ts';

/** A third of what the rescan alone may take. */
const DEADLINE_MS = 20_000;
const RESCAN_DEADLINE_MS = 90_000;

/** What may become of the config folder: each leaves it with the same definitions. */
const FATES: Readonly<Record<string, (folder: string) => void>> = {
  'removed and made again': (folder) => {
    cpSync(folder, `${folder}.copy`, { recursive: true });
    rmSync(folder, { recursive: true });
    cpSync(`${folder}.copy`, folder, { recursive: true });
  },
  'renamed away and back': (folder) => {
    renameSync(folder, `${folder}.away`);
    renameSync(`${folder}.away`, folder);
  },
  'replaced by another one': (folder) => {
    cpSync(folder, `${folder}.new`, { recursive: true });
    renameSync(folder, `${folder}.old`);
    renameSync(`${folder}.new`, folder);
  },
  'replaced by a link': (folder) => {
    renameSync(folder, `${folder}.1`);
    symlinkSync(`${folder}.1`, folder);
  },
  'a link that leads elsewhere': (folder) => {
    FATES['replaced by a link']?.(folder);
    cpSync(`${folder}.1`, `${folder}.2`, { recursive: true });
    symlinkSync(`${folder}.2`, `${folder}.link`);
    renameSync(`${folder}.link`, folder);
  },
};

test.each(Object.entries(FATES))(
  'a config folder that is %s: nothing restarts, and what changes in it is seen',
  async (_, happen) => {
    const instance = await startInstance();
    const services = ['one', 'two', 'three', 'four'];
    for (const service of services) instance.defineScript(service, 'exec sleep 1000');
    const pids = await Promise.all(services.map((service) => instance.running(service, 1)));

    happen(instance.configDirectory);
    await changeIsSeen(instance, 'one', DEADLINE_MS);
    instance.defineScript('five', 'exec sleep 1000');
    await instance.running('five', 1, DEADLINE_MS);
    rmSync(join(instance.configDirectory, 'four.yaml'));
    await instance.gone('four', DEADLINE_MS);
    expect(services.slice(0, 3).map((service) => instance.pidsOf(service))).toEqual(
      pids.slice(0, 3),
    );
  },
);

test('a folder of auto services that is replaced, and one of a service: nothing restarts, and changes are seen', async () => {
  const instance = await startInstance();
  const auto = instance.autoServiceDirectory;
  const describe = (service: string, description: string) => {
    const text = `description: ${description}\nprocess: {start_command: [sleep, "1000"]}\n`;
    mkdirSync(join(auto, service), { recursive: true });
    writeFileSync(join(auto, service, 'service.yml'), text);
  };
  for (const service of ['one', 'two']) describe(service, 'first');
  const pids = [await instance.running('one', 1), await instance.running('two', 1)];
  renameSync(auto, `${auto}.1`);
  symlinkSync(`${auto}.1`, auto);
  describe('one', 'second');
  await isDescribed(instance, 'one', 'second', DEADLINE_MS);
  cpSync(join(auto, 'two'), join(auto, '.two'), { recursive: true });
  renameSync(join(auto, 'two'), join(auto, 'two.disabled'));
  renameSync(join(auto, '.two'), join(auto, 'two'));
  describe('two', 'third');
  await isDescribed(instance, 'two', 'third', DEADLINE_MS);
  expect([instance.pidsOf('one'), instance.pidsOf('two')]).toEqual(pids);
});

test('on a filesystem that signals nothing, a change is found by the rescan', async () => {
  const instance = new Instance();
  const layers = ['lower', 'upper', 'work'].map((layer) => join(instance.root, layer));
  for (const layer of layers) mkdirSync(layer);
  const [lower = '', upper = '', work = ''] = layers;
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  const file = instance.defineScript('web', 'exec sleep 1000', { description: 'first' });
  renameSync(file, join(lower, 'web.yaml'));
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, instance.configDirectory]);
  onTestFinished(() => void execFileSync('umount', ['-l', instance.configDirectory]));
  await instance.start();
  const pids = await instance.running('web', 1);

  // What is written below an overlay is there and is told to nobody.
  const text = readFileSync(file, 'utf8').replace('first', 'second');
  writeFileSync(join(lower, 'web.yaml'), text);
  expect(readFileSync(file, 'utf8')).toBe(text);
  await isDescribed(instance, 'web', 'second', RESCAN_DEADLINE_MS);
  expect(instance.pidsOf('web')).toEqual(pids);
}, 180_000);

test.each([
  ['instances', 0],
  // The folders above, one of the two folders, and no cgroup.
  ['watches', 2],
])(
  'inotify without %s: said, lived with, and over when there is room',
  async (what, room) => {
    const instance = new Instance();
    const limit = `/proc/sys/user/max_inotify_${what}`;
    // A user namespace has limits of its own: nobody else is affected.
    instance.daemonProgram = join(instance.root, 'daemon.sh');
    const script = `echo ${room} >${limit} && exec ${await program('processmaster')} "$@"`;
    writeFileSync(
      instance.daemonProgram,
      `#!/bin/sh\nexec unshare -U -r sh -c '${script}' sh "$@"\n`,
      { mode: 0o755 },
    );
    await instance.start();
    const said = await waitFor(() => warnings(instance), {
      what: 'status to warn',
    });
    expect(said).toContain(`no inotify ${what} are left`);
    expect(said).toContain('changes are found once a minute');
    // An operator need not wait for the rescan, and ends are seen all the same.
    instance.defineScript('web', 'exec sleep 1000');
    await instance.pmctl('update');
    const [pid = 0] = await instance.running('web', 1);
    process.kill(pid, 'SIGKILL');
    await waitFor(
      () => !instance.pidsOf('web').includes(pid) && instance.pidsOf('web').length === 1,
      {
        what: 'web to run again',
        deadlineMs: DEADLINE_MS,
      },
    );

    const raise = ['-t', String(instance.daemonPid), '-U', '--', 'sh', '-c', `echo 100 >${limit}`];
    execFileSync('nsenter', raise);
    const isOver = async () => (await warnings(instance)) === '';
    await waitFor(isOver, { what: 'the warnings to be gone', deadlineMs: DEADLINE_MS });
    await changeIsSeen(instance, 'web', DEADLINE_MS);
    const events = (await instance.pmctl('events')).stdout;
    // Not again for each cgroup that comes and goes.
    expect(events.match(/cannot watch cgroups/g)).toHaveLength(1);
    expect(events.match(/watched again: cgroups/g)).toHaveLength(1);
    // Which of the folders found the room taken depends on their order.
    expect(events).toMatch(/watched again: (auto|config):/);
  },
  120_000,
);

async function warnings(instance: Instance): Promise<string> {
  return (await instance.pmctl('status', '--format', 'json')).stderr;
}

/** Changes what a definition says of itself, which restarts nothing. */
async function changeIsSeen(instance: Instance, service: string, deadlineMs: number) {
  const run = (await instance.status(service))?.run;
  instance.defineScript(service, 'exec sleep 1000', { description: 'changed' });
  await isDescribed(instance, service, 'changed', deadlineMs);
  expect((await instance.status(service))?.run).toBe(run);
}

async function isDescribed(
  instance: Instance,
  service: string,
  description: string,
  deadlineMs: number,
): Promise<void> {
  const isSo = async () => (await instance.status(service))?.description === description;
  await waitFor(isSo, { what: `${service} to be described as ${description}`, deadlineMs });
}
