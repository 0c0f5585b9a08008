import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EventRow } from '../../src/rpc/status-row.ts';
import { Instance } from './harness.ts';
import { cgroupPids } from './kernel.ts';
import { program } from './programs.ts';
import { waitFor } from './wait-for.ts';

interface ActionProcess {
  readonly pid: number;
  readonly action: string | null;
  readonly command: string;
}

async function withActions(actions: Readonly<Record<string, object>>): Promise<Instance> {
  const instance = new Instance();
  appendFileSync(instance.configFile, `admin_actions: ${JSON.stringify(actions)}\n`);
  await instance.start();
  return instance;
}

const shell = (script: string) => ({ command: ['/bin/sh', '-c', script] });
const cgroupOf = ({ cgroup }: Instance) => join(cgroup, 'admin_actions');
const outputOf = ({ root }: Instance, stream: 'stdout' | 'stderr') => {
  const file = join(root, `logs/admin_action_${stream}.log`);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};

async function running(instance: Instance): Promise<readonly ActionProcess[]> {
  const { code, stdout } = await instance.pmctl('admin-ps', '-o', 'json');
  expect(code).toBe(0);
  return JSON.parse(stdout) as readonly ActionProcess[];
}

async function adminEvents(instance: Instance): Promise<readonly EventRow[]> {
  const { stdout } = await instance.pmctl('events', '-o', 'json');
  const events = JSON.parse(stdout) as readonly EventRow[];
  return events.filter(({ kind }) => kind.startsWith('admin.'));
}

test('an action is begun as root, in a cgroup of its own, with its output appended', async () => {
  const instance = await withActions({
    hello: {
      label: 'Say hello',
      ...shell('echo "$PM_ADMIN_ACTION $(id -u) $PWD $PMCTL_SOCK"; echo bad >&2; exec sleep 1000'),
    },
    short: { command: ['echo', 'two  words'] },
  });
  const { stdout } = await instance.pmctl('admin-list');
  expect(stdout).toMatch(/^ACTION +LABEL +COMMAND\nhello +Say hello +\/bin\/sh -c 'echo /);
  expect(stdout).toMatch(/\nshort +short +echo 'two {2}words'\n$/);
  const listed = JSON.parse((await instance.pmctl('admin-list', '-o', 'json')).stdout);
  expect(listed[1]).toEqual({ id: 'short', label: 'short', command: ['echo', 'two  words'] });

  expect((await instance.pmctl('admin-ps')).stdout).toBe('no admin action is running\n');
  const begun = await instance.pmctl('admin-run', 'hello', '--reason', 'a try');
  const logs = ['stdout', 'stderr'].map((one) => `${instance.root}/logs/admin_action_${one}.log`);
  expect(begun).toMatchObject({ code: 0, stderr: '' });
  expect(begun.stdout).toMatch(/^hello: begun, pid \d+; output: /);
  expect(begun.stdout).toContain(`output: ${logs.join(', ')}\n`);
  const pid = Number(/pid (\d+)/.exec(begun.stdout)?.[1]);
  expect(cgroupPids(cgroupOf(instance))).toContain(pid);

  const expected = `hello 0 ${instance.root} ${instance.socket}\n`;
  await waitFor(() => outputOf(instance, 'stdout') === expected, { what: 'its output' });
  await waitFor(() => outputOf(instance, 'stderr') === 'bad\n', { what: 'its errors' });
  const [found] = await waitFor(
    async () => {
      const processes = await running(instance);
      return processes[0]?.command === 'sleep 1000' ? processes : null;
    },
    { what: 'the action to sleep' },
  );
  expect(found).toMatchObject({ pid, action: 'hello' });
  const table = (await instance.pmctl('admin-ps')).stdout;
  expect(table).toMatch(
    /^ *PID {2}ACTION {2}UPTIME {2}COMMAND\n *\d+ {2}hello +\d+s {2}sleep 1000\n$/,
  );

  expect((await instance.pmctl('admin-run', 'short')).code).toBe(0);
  const both = `${expected}two  words\n`;
  await waitFor(() => outputOf(instance, 'stdout') === both, { what: 'more of it' });

  expect((await instance.pmctl('admin-kill')).stdout).toBe(`killed: ${pid}\n`);
  expect(await running(instance)).toEqual([]);
  expect((await instance.pmctl('admin-kill')).stdout).toBe('no admin action is running\n');
  expect((await adminEvents(instance)).map(({ kind, actor, data }) => [kind, actor, data])).toEqual(
    [
      ['admin.run', 'local', { action: 'hello', pid, reason: 'a try' }],
      ['admin.run', 'local', expect.objectContaining({ action: 'short' })],
      ['admin.kill', 'local', { processes: 1, reason: null }],
    ],
  );
});

test('an action outlives the daemon: killed, restarted by the action itself, stopped', async () => {
  const pmctl = await program('pmctl');
  const instance = await withActions({
    sleep: { command: ['sleep', '1000'] },
    restart: shell(`'${process.execPath}' '${pmctl}' daemon restart; echo "ended with $?"`),
  });
  instance.defineScript('web', 'exec sleep 1000');
  const services = await instance.running('web', 1);
  expect((await instance.pmctl('admin-run', 'sleep')).code).toBe(0);
  const [pid] = cgroupPids(cgroupOf(instance));

  const before = (await instance.pmctl('daemon', 'status', '-o', 'json')).stdout;
  expect((await instance.pmctl('admin-run', 'restart')).code).toBe(0);
  await waitFor(() => outputOf(instance, 'stdout').includes('ended with 0\n'), {
    what: 'the restart',
    deadlineMs: 20_000,
  });
  const after = (await instance.pmctl('daemon', 'status', '-o', 'json')).stdout;
  expect(JSON.parse(after).started_at_ms).toBeGreaterThan(JSON.parse(before).started_at_ms);
  expect(await running(instance)).toMatchObject([{ pid, action: 'sleep' }]);

  await instance.endDaemon('SIGKILL');
  await instance.start();
  expect(await running(instance)).toMatchObject([{ pid, action: 'sleep' }]);
  expect(instance.pidsOf('web')).toEqual(services);

  expect(await instance.endDaemon('SIGTERM')).toBe(0);
  expect(cgroupPids(cgroupOf(instance))).toEqual([pid]);
  await instance.start();
  expect((await instance.pmctl('admin-kill')).stdout).toBe(`killed: ${pid}\n`);
  expect(await instance.endDaemon('SIGTERM')).toBe(0);
  expect(existsSync(instance.cgroup)).toBe(false);
});

test('what cannot be run is refused with the reason', async () => {
  const instance = await withActions({
    'update-pm': { command: ['/bin/true'] },
    broken: { command: ['/no/such/program'] },
  });
  const unknown = await instance.pmctl('admin-run', 'updatepm');
  expect(unknown).toMatchObject({ code: 4, stdout: '' });
  expect(unknown.stderr).toBe(
    "pmctl: cannot find action 'updatepm': no action has that name (did you mean 'update-pm'?); there are: update-pm, broken\n  see: pmctl admin-list\n",
  );
  const broken = await instance.pmctl('admin-run', 'broken');
  expect(broken).toMatchObject({ code: 1, stdout: '' });
  expect(broken.stderr).toContain(
    "cannot run action 'broken': cannot execute '/no/such/program': No such file or directory",
  );
  expect(await adminEvents(instance)).toMatchObject([{ kind: 'admin.failed', actor: 'local' }]);
  expect((await instance.pmctl('admin-run')).code).toBe(2);

  const completed = await instance.pmctl('__complete', '--', 'admin-run', 'u');
  expect(completed.stdout).toBe('update-pm\tupdate-pm\n');
});

test('without any there is none, and it says so', async () => {
  const instance = await withActions({});
  expect((await instance.pmctl('admin-list')).stdout).toBe(
    'the master config has no admin_actions\n',
  );
  const { code, stderr } = await instance.pmctl('admin-run', 'x');
  expect(code).toBe(4);
  expect(stderr).toContain("cannot find action 'x': the master config has no admin_actions\n");
});
