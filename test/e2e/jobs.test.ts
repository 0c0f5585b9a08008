import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { JobHistoryRow, NextSlotRow } from '../../src/rpc/job-rows.ts';
import { type Instance, startInstance } from './harness.ts';
import { program, runProgram } from './programs.ts';
import { Terminal } from './terminal.ts';
import { waitFor } from './wait-for.ts';

/** Never due while a test runs. */
const SELDOM = '0 0 29 2 *';
/** A minute comes within a minute; machines are slow. */
const MINUTE_DEADLINE_MS = 90_000;

function defineJob(instance: Instance, name: string, script: string, keys: object = {}): string {
  return instance.defineScript(name, script, { process: { schedule: SELDOM, ...keys } });
}

async function scheduled(instance: Instance, name: string): Promise<void> {
  await instance.phase(name, 'SCHEDULED');
}

async function history(instance: Instance, ...args: string[]): Promise<readonly JobHistoryRow[]> {
  const { code, stdout } = await instance.pmctl('history', ...args, '--format', 'json');
  return code === 4 ? [] : (JSON.parse(stdout) as readonly JobHistoryRow[]);
}

/** `pmctl run` of a job that prints something first, once it has shown that. */
async function shownRun(instance: Instance, name: string) {
  const env = { PATH: process.env.PATH, PMCTL_SOCK: instance.socket };
  const shown = Promise.withResolvers<void>();
  const options = { env, timeoutMs: 60_000, onStdout: shown.resolve };
  const ended = runProgram(await program('pmctl'), ['run', name], options);
  await Promise.race([shown.promise, ended]);
  return { ended };
}

test('pmctl run shows what a job writes, and ends with its exit code', async () => {
  const instance = await startInstance();
  defineJob(instance, 'report', 'echo out; echo err >&2; sleep 1; echo "more ü"; exit 3');
  await scheduled(instance, 'report');

  const first = await instance.pmctl('run', 'report');
  expect(first).toMatchObject({ code: 3, stdout: 'out\nmore ü\n', stderr: 'err\n' });
  const again = await instance.pmctl('run', 'report', '--format', 'json');
  expect(again.code).toBe(3);
  expect(JSON.parse(again.stdout)).toMatchObject({
    ...{ application: 'report', run: 2, outcome: 'failed' },
    exit: { kind: 'exited', code: 3 },
  });

  const rows = await history(instance, 'report');
  expect(rows).toMatchObject([
    { slot_ms: null, run: 1, outcome: 'failed', exit: { code: 3 } },
    { slot_ms: null, run: 2, outcome: 'failed', exit: { code: 3 } },
  ]);
  expect(rows[0]?.duration_ms).toBeGreaterThanOrEqual(1_000);
  expect(rows[0]?.cpu_ms).toBeGreaterThanOrEqual(0);
  expect(rows[0]?.peak_memory_bytes === null || Number(rows[0]?.peak_memory_bytes) > 0).toBe(true);
  const status = await instance.status('report');
  expect(status).toMatchObject({ phase: 'SCHEDULED', schedule: SELDOM, last_outcome: 'failed' });
  expect(status?.system_flags).toEqual(['exit_err']);
  expect(status?.next_slot_ms).toBeGreaterThan(Date.now());
});

test('pmctl run shows all that a job writes while its log files are put aside', async () => {
  const instance = await startInstance();
  instance.defineScript('report', 'seq 1 100000', {
    process: { schedule: SELDOM },
    logs: { rotation_size: 20_000, rotation_backups: 100, compression_enabled: false },
  });
  await scheduled(instance, 'report');
  const { code, stdout, stderr } = await instance.pmctl('run', 'report');
  expect([code, stderr]).toEqual([0, '']);
  const lines = stdout.split('\n');
  expect(lines.length).toBe(100_001);
  expect(lines.findIndex((line, index) => line !== String(index + 1))).toBe(100_000);
  expect(existsSync(join(instance.folder('report'), 'logs/stdout.log.20'))).toBe(true);
});

test('pmctl run refuses what it cannot do, and says what to do', async () => {
  const instance = await startInstance();
  instance.defineScript('web', 'exec sleep 1000');
  defineJob(instance, 'slow', 'exec sleep 1000');
  defineJob(instance, 'broken', 'true', { start_command: ['/no/such/program'] });
  instance.defineScript('off', 'echo forced', {
    process: { schedule: SELDOM },
    global: { enabled: false },
  });
  await Promise.all(['slow', 'broken'].map((name) => scheduled(instance, name)));
  await instance.phase('off', 'DISABLED');

  expect(await instance.pmctl('run', 'web')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("cannot run 'web': it is no job"),
  });
  expect((await instance.pmctl('run', 'slov')).code).toBe(4);
  expect((await instance.pmctl('run', 'off')).stderr).toContain('pmctl run --force off');
  expect(await instance.pmctl('run', 'off', '--force')).toMatchObject({
    code: 0,
    stdout: 'forced\n',
  });
  const broken = await instance.pmctl('run', 'broken');
  expect(broken.code).toBe(1);
  expect(broken.stderr).toContain('/no/such/program');

  expect((await instance.pmctl('start', 'slow')).code).toBe(0);
  expect((await instance.pmctl('run', 'slow')).stderr).toContain('is there already');
  expect((await instance.pmctl('stop', 'slow')).code).toBe(0);
  expect((await instance.status('slow'))?.phase).toBe('STOPPED');
  expect(await history(instance, 'slow')).toMatchObject([{ outcome: 'stopped' }]);
});

test('an interrupt leaves a run alone where nobody can be asked', async () => {
  const instance = await startInstance();
  defineJob(instance, 'slow', 'echo begun; exec sleep 1000');
  await scheduled(instance, 'slow');
  const pmctl = spawn(await program('pmctl'), ['run', 'slow'], {
    env: { PATH: process.env.PATH, PMCTL_SOCK: instance.socket },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(pmctl, 'exit');
  await once(pmctl.stdout, 'data');
  let stderr = '';
  pmctl.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  pmctl.kill('SIGINT');
  expect((await ended)[0]).toBe(130);
  expect(stderr).toContain("run 1 of 'slow' goes on");
  expect(instance.pidsOf('slow')).toHaveLength(1);
});

test('an interrupt on a terminal asks whether the run is to be stopped', async () => {
  const instance = await startInstance();
  defineJob(instance, 'slow', 'echo begun; exec sleep 1000');
  await scheduled(instance, 'slow');
  const pmctl = await program('pmctl');
  const env = { PATH: process.env.PATH ?? '', PMCTL_SOCK: instance.socket, TERM: 'xterm' };
  const follow = () => Terminal.run(`${pmctl} run slow; echo code $?; read wait`, env);

  const refusing = await follow();
  await refusing.shows('begun');
  await refusing.press('C-c');
  await refusing.shows("Stop run 1 of 'slow'? It goes on otherwise. [y/N]");
  await refusing.press('n', 'Enter');
  await refusing.shows("run 1 of 'slow' goes on");
  await refusing.shows('code 130');
  expect(instance.pidsOf('slow')).toHaveLength(1);
  expect((await instance.pmctl('stop', 'slow')).code).toBe(0);

  const agreeing = await follow();
  await agreeing.shows('begun');
  await agreeing.press('C-c');
  await agreeing.shows("Stop run 2 of 'slow'?");
  await agreeing.press('y', 'Enter');
  await agreeing.shows('code 143');
  expect(instance.pidsOf('slow')).toEqual([]);
  // The run is over, the schedule is not.
  await scheduled(instance, 'slow');
});

test('a run is followed over a restart of the daemon, and its exit code is known', async () => {
  const instance = await startInstance();
  const go = join(instance.root, 'go');
  defineJob(
    instance,
    'long',
    `echo one; while ! [ -e ${go} ]; do sleep 0.1; done; echo two; exit 5`,
  );
  await scheduled(instance, 'long');
  const running = await shownRun(instance, 'long');
  await instance.endDaemon('SIGKILL');
  writeFileSync(go, '');
  await waitFor(() => instance.pidsOf('long').length === 0, { what: 'the end of the run' });
  await instance.start();
  expect(await running.ended).toMatchObject({ code: 5, stdout: 'one\ntwo\n', stderr: '' });
  expect(await history(instance, 'long')).toMatchObject([{ outcome: 'failed', exit: { code: 5 } }]);
});

test('a run that takes too long is stopped, also by the next daemon', async () => {
  const instance = await startInstance();
  const stubborn = "trap '' TERM; echo begun; while :; do sleep 0.1; done";
  const keys = { max_time_per_run: '4s', stop_grace_period_ms: '1s' };
  defineJob(instance, 'stubborn', stubborn, keys);
  await scheduled(instance, 'stubborn');
  const running = await shownRun(instance, 'stubborn');
  await instance.endDaemon('SIGKILL');
  await instance.start();
  const { code, stderr } = await running.ended;
  expect(code).toBe(137);
  expect(stderr).toContain('overtime');
  const status = await instance.phase('stubborn', 'SCHEDULED');
  expect(status.system_flags).toEqual(['ot_killed', 'exit_err']);
  const [row] = await history(instance, 'stubborn', '--failed');
  expect(row).toMatchObject({ outcome: 'overtime', run: 1 });
  expect(row?.duration_ms).toBeGreaterThanOrEqual(4_000);
});

test('schedules are shown, edited while they are in force, and kept when the edit is wrong', async () => {
  const instance = await startInstance();
  defineJob(instance, 'early', 'true', { timezone: 'Asia/Kolkata', schedule: '30 9 * * *' });
  instance.defineScript('web', 'exec sleep 1000');
  await scheduled(instance, 'early');
  const next = async (): Promise<readonly NextSlotRow[]> => {
    const { stdout } = await instance.pmctl('next', 'early', '-n', '3', '--format', 'json');
    return JSON.parse(stdout) as readonly NextSlotRow[];
  };
  const hours = async () =>
    (await next()).map(({ slot_ms }) => new Date(slot_ms).toISOString().slice(11, 16));
  expect(await hours()).toEqual(['04:00', '04:00', '04:00']);
  expect((await instance.pmctl('next', 'web')).stderr).toContain('it is no job');
  expect((await instance.pmctl('next')).stdout).toMatch(/^JOB +SLOT +IN +BEGINS\nearly /);

  defineJob(instance, 'early', 'true', { timezone: 'UTC', schedule: '15 7 * * *' });
  await waitFor(async () => (await hours())[0] === '07:15', { what: 'the new schedule' });
  defineJob(instance, 'early', 'true', { timezone: 'UTC', schedule: '99 7 * * *' });
  const isTold = async () =>
    (await instance.status('early'))?.conditions.some(({ type }) => type === 'DefinitionInvalid');
  await waitFor(isTold, { what: 'the edit to be refused' });
  expect(await hours()).toEqual(['07:15', '07:15', '07:15']);
  expect((await instance.status('early'))?.phase).toBe('SCHEDULED');
});

test('start and restart of all pass over jobs, and give a stopped one its schedule back', async () => {
  const instance = await startInstance();
  const ran = join(instance.root, 'ran');
  defineJob(instance, 'nightly', `touch ${ran}`);
  instance.defineScript('web', 'exec sleep 1000');
  await scheduled(instance, 'nightly');
  await instance.running('web', 1);
  for (const verb of ['start', 'restart']) {
    const { code, stdout } = await instance.pmctl(verb, 'all');
    expect(code).toBe(0);
    expect(stdout).toContain('nightly: left alone: it is a job');
  }
  expect((await instance.pmctl('stop', 'all')).code).toBe(0);
  await instance.phase('nightly', 'STOPPED');
  expect((await instance.pmctl('start', 'all')).code).toBe(0);
  await scheduled(instance, 'nightly');
  expect(existsSync(ran)).toBe(false);

  const started = await instance.pmctl('start', 'nightly');
  expect(started).toMatchObject({ code: 0, stderr: '' });
  await waitFor(() => existsSync(ran), { what: 'the job to run' });
});

/** Everything that takes a real minute, at once. */
test('slots come with the minutes, and each is told once whatever happens', async () => {
  const instance = await startInstance();
  const every = { schedule: '* * * * *' };
  const count = (name: string) => join(instance.root, `count-${name}`);
  const noting = (name: string) => `echo "$(date +%s)" >> ${count(name)}`;
  defineJob(instance, 'plain', `${noting('plain')}; echo done`, every);
  defineJob(instance, 'slow', `${noting('slow')}; exec sleep 1000`, every);
  defineJob(instance, 'retried', `${noting('retried')}; [ $(wc -l < ${count('retried')}) -ge 3 ]`, {
    ...every,
    ...{ retries: 5, retry_delay: '1s' },
  });
  defineJob(instance, 'bounded', noting('bounded'), { ...every, not_before: '2035-01-01' });
  defineJob(instance, 'stopped', noting('stopped'), every);
  for (const name of ['plain', 'slow', 'retried', 'bounded', 'stopped']) {
    await scheduled(instance, name);
  }
  expect((await instance.pmctl('stop', 'stopped')).code).toBe(0);
  const definedAtMs = Date.now();

  const outcomes = async (name: string) =>
    (await history(instance, name)).map(({ outcome }) => outcome);
  const settled = async () =>
    (await outcomes('plain')).includes('ok') && (await outcomes('retried')).includes('ok');
  await waitFor(settled, { what: 'the first slots to be over', deadlineMs: MINUTE_DEADLINE_MS });
  const [first] = await history(instance, 'plain');
  expect(Number(first?.slot_ms) % 60_000).toBe(0);
  expect(first?.slot_ms).toBeGreaterThan(definedAtMs - 60_000);
  expect(Number(first?.started_at_ms) - Number(first?.slot_ms)).toBeLessThan(10_000);
  const [retried] = await history(instance, 'retried');
  expect(retried).toMatchObject({ tries: 3, outcome: 'ok' });

  // Killed before the next minute, back after it: what ran runs on, and nothing runs twice.
  await instance.endDaemon('SIGKILL');
  await instance.start();
  const second = async () => (await outcomes('plain')).filter((outcome) => outcome === 'ok').length;
  await waitFor(async () => (await second()) >= 2, {
    what: 'the second slots',
    deadlineMs: MINUTE_DEADLINE_MS,
  });
  const isSkipped = async () => (await outcomes('slow')).includes('skipped');
  await waitFor(isSkipped, { what: 'the slot of what still runs to be skipped' });
  expect(instance.pidsOf('slow')).toHaveLength(1);
  expect(readFileSync(count('slow'), 'utf8').trim().split('\n')).toHaveLength(1);
  expect(await history(instance, 'bounded')).toMatchObject([
    { outcome: 'skipped', reason: 'before process.not_before', run: null },
  ]);
  const [skipped] = await history(instance, 'stopped');
  expect(skipped).toMatchObject({ outcome: 'skipped', reason: 'stopped by an operator' });
  expect(existsSync(count('stopped'))).toBe(false);

  const rows = await history(instance);
  const keys = rows.map(({ application, slot_ms }) => `${application} ${slot_ms}`);
  expect(new Set(keys).size).toBe(keys.length);
  const starts = readFileSync(count('plain'), 'utf8').trim().split('\n').map(Number);
  const minutes = starts.map((seconds) => Math.floor(seconds / 60));
  expect(new Set(minutes).size).toBe(minutes.length);
  rmSync(count('plain'));
}, 300_000);

const MANY = 200;
/** Two shared cores; a machine of one's own needs a fifth of it. */
const ALL_BEGUN_MS = 20_000;

test('many jobs of one minute begin soon, once each, and a service that fails meanwhile is back at once', async () => {
  const instance = await startInstance();
  const folder = instance.folder('shared');
  const names = Array.from({ length: MANY }, (_, index) => `job-${index}`);
  instance.defineScript('steady', 'exec sleep 1000', {
    restart_policy: { restart_backoff_ms: 1, tolerance: { max_restarts: 100 } },
  });
  for (const name of names) {
    instance.define(name, {
      process: { working_directory: folder, start_command: ['true'], schedule: '* * * * *' },
      logs: { stdout: `logs/${name}.out`, stderr: `logs/${name}.err` },
    });
  }
  await instance.phase('steady', 'RUNNING');
  const isAnyRun = async () => (await history(instance, '-n', '1')).some(({ run }) => run !== null);
  await waitFor(isAnyRun, { what: 'the minute to come', deadlineMs: MINUTE_DEADLINE_MS });

  const [pid = 0] = instance.pidsOf('steady');
  process.kill(pid, 'SIGKILL');
  const killedAtMs = performance.now();
  const isBack = () => instance.pidsOf('steady').some((other) => other !== pid);
  await waitFor(isBack, { what: 'the service to be back' });
  expect(performance.now() - killedAtMs).toBeLessThan(ALL_BEGUN_MS / 2);

  const firstSlots = async () => {
    const rows = await history(instance, '-n', '10000');
    const slotMs = Math.min(...rows.map((row) => row.slot_ms ?? Number.POSITIVE_INFINITY));
    return rows.filter((row) => row.slot_ms === slotMs);
  };
  const isOver = async () => {
    const rows = await firstSlots();
    return rows.length === MANY && rows.every(({ outcome }) => outcome !== null);
  };
  await waitFor(isOver, { what: 'all slots of the minute to be over', deadlineMs: 60_000 });
  const rows = await firstSlots();
  expect(new Set(rows.map(({ application }) => application)).size).toBe(MANY);
  expect(rows.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
  const late = rows.filter((row) => Number(row.started_at_ms) - Number(row.slot_ms) > ALL_BEGUN_MS);
  expect(late).toEqual([]);
}, 300_000);
