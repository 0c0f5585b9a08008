import { expect, test } from 'vitest';
import type { Description } from '../../src/rpc/description.ts';
import type { Explanation } from '../../src/rpc/explanation.ts';
import { type Instance, startInstance } from './harness.ts';
import { waitFor } from './wait-for.ts';

/** The answer as people read it: its first line, and all of it. */
async function asked(instance: Instance, service: string) {
  const { code, stdout } = await instance.pmctl('why', service);
  expect(code).toBe(0);
  return { first: stdout.split('\n')[0] ?? '', text: stdout };
}

async function facts(instance: Instance, service: string): Promise<Explanation> {
  const { code, stdout } = await instance.pmctl('why', service, '--format', 'json');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Explanation;
}

const wayOut = (command: string) => expect.objectContaining({ command });

test('why a service runs, and what it said', async () => {
  const instance = await startInstance();
  const file = instance.define(
    'talk',
    `global:
  enabled: true
process:
  working_directory: ${instance.folder('talk')}
  start_command: [/bin/sh, -c, 'echo low on disk >&2; sleep 1000 & wait']
`,
  );
  const pids = await instance.running('talk', 2);
  const isHeard = async () => (await facts(instance, 'talk')).stderr?.lines.length === 1;
  await waitFor(isHeard, { what: 'the output of talk' });

  const answer = await facts(instance, 'talk');
  expect(answer).toMatchObject({
    application: 'talk',
    phase: 'RUNNING',
    desired: { wanted: 'run', decided_by: { kind: 'definition', file, line: 2 } },
    observed: { actual: 'RUNNING', processes: 2, main_pid: pids[0], run: 1 },
    next: null,
    ways_out: [],
    stderr: { lines: ['low on disk'], error: null },
  });
  expect(answer.observed.pids.map(({ pid }) => pid)).toEqual(pids);
  expect(answer.observed.pids[1]?.command).toBe('sleep 1000');
  expect(answer.transitions.map(({ kind }) => kind)).toContain('service.starting');

  const { first, text } = await asked(instance, 'talk');
  expect(first).toMatch(
    /^talk is RUNNING: it is enabled and has been up for .+ \(run 1, 2 processes\)$/,
  );
  expect(text).toContain(`definition: global.enabled is true, ${file}:2`);
  expect(text).toContain('  low on disk\n');
});

test('why nothing comes of a definition that is broken, or is there twice', async () => {
  const instance = await startInstance();
  const steady = instance.defineScript('steady', 'exec sleep 1000');
  const first = instance.defineScript('twin', 'exec sleep 1000');
  await Promise.all([instance.running('steady', 1), instance.running('twin', 1)]);
  await Promise.all([instance.phase('steady', 'RUNNING'), instance.phase('twin', 'RUNNING')]);

  const broken = instance.define('broken', 'process: [not, a, map]\n');
  instance.define('steady', 'process:\n  working_directory: /tmp\n  nice: high\n');
  const second = instance.define('copy', 'process: {working_directory: /}\napplication: twin\n');
  expect((await instance.pmctl('update')).code).toBe(1);

  expect((await asked(instance, 'broken')).first).toMatch(
    `broken is INVALID: ${broken}:1:10: process: expected a map`,
  );
  expect((await asked(instance, 'steady')).first).toContain(
    `its definition is invalid now (${steady}:3:9: process.nice: expected`,
  );
  expect(await facts(instance, 'steady')).toMatchObject({
    phase: 'RUNNING',
    definition: { generation: 1, trouble: { kind: 'invalid', places: [{ line: 3, column: 9 }] } },
  });
  const twin = await facts(instance, 'twin');
  expect(twin.summary).toContain('it is defined more than once');
  expect(twin.definition.trouble?.places).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ file: first }),
      expect.objectContaining({ file: second, line: 2 }),
    ]),
  );
});

test('why a service that ends again and again is not there', async () => {
  const instance = await startInstance();
  const quick = { restart_backoff_ms: 20, tolerance: { max_restarts: 2 } };
  instance.defineScript('fails', 'echo no database >&2; exit 3', { restart_policy: quick });
  instance.defineScript('waits', 'kill -SEGV $$', {
    restart_policy: { restart_backoff_ms: 30_000 },
  });
  await Promise.all([instance.phase('fails', 'FAILED'), instance.phase('waits', 'BACKOFF')]);

  const fails = await facts(instance, 'fails');
  expect(fails.summary).toMatch(
    /^fails is FAILED: it exited with code 3 after .+; 2 restarts in 3 m are tolerated, so it is not started again$/,
  );
  expect(fails).toMatchObject({
    desired: { wanted: 'run', decided_by: { kind: 'policy', line: 1 } },
    last_exit: { kind: 'exited', code: 3, run: 3 },
    restarts: { max: 2, at_ms: [expect.any(Number), expect.any(Number)], failures_in_a_row: 3 },
    ways_out: expect.arrayContaining([wayOut('pmctl start fails')]),
  });
  expect(fails.restarts?.last_exits.map(({ run }) => run)).toEqual([3, 2, 1]);
  expect((await asked(instance, 'fails')).text).toContain('  no database\n');

  const waits = await facts(instance, 'waits');
  expect(waits.summary).toMatch(
    /^waits is BACKOFF: it was killed by SIGSEGV \(segmentation fault\) after .+, 1st time in a row; next start in \d+ s$/,
  );
  expect(waits.next).toMatchObject({ action: 'start' });
  expect(waits.next?.in_ms).toBeGreaterThan(10_000);
  expect(waits.next?.in_ms).toBeLessThanOrEqual(36_000);
});

test('why a service cannot even be started, and which line to correct', async () => {
  const instance = await startInstance();
  const file = instance.define(
    'lost',
    `process:
  working_directory: /missing/folder
restart_policy:
  restart_backoff_ms: 20
  tolerance:
    max_restarts: 1
`,
  );
  await instance.phase('lost', 'FAILED');
  const { summary, last_exit, ways_out } = await facts(instance, 'lost');
  expect(summary).toContain("lost is FAILED: it could not be started (cannot enter the folder '/m");
  expect(last_exit).toMatchObject({ kind: 'launch_failed', stage: 'chdir' });
  expect(ways_out[0]).toEqual({
    command: null,
    hint: `make the folder, open to its user, or correct process.working_directory in ${file}:2`,
  });
});

test('why a service is kept down: by its file, or by someone', async () => {
  const instance = await startInstance();
  const off = instance.define(
    'off',
    'global:\n  enabled: false\nprocess: {working_directory: /}\n',
  );
  instance.defineScript('web', 'exec sleep 1000');
  await instance.running('web', 1);
  await instance.phase('web', 'RUNNING');
  await instance.phase('off', 'DISABLED');

  expect((await asked(instance, 'off')).first).toBe(
    `off is DISABLED: global.enabled is false in ${off}:2`,
  );
  expect((await facts(instance, 'off')).ways_out).toEqual([
    wayOut('pmctl start off --force'),
    wayOut('pmctl enable off'),
  ]);

  const stop = ['stop', 'web', '--reason', 'new disk', '--for', '2h'];
  expect((await instance.pmctl(...stop)).code).toBe(0);
  expect((await asked(instance, 'web')).first).toMatch(
    /^web is STOPPED: stopped by local .+ ago: new disk; the stop ends in 1 h 59 m$/,
  );
  expect(await facts(instance, 'web')).toMatchObject({
    desired: {
      wanted: 'stop',
      decided_by: { kind: 'operator', actor: 'local', reason: 'new disk' },
    },
    last_exit: { signal: 'SIGTERM', stopped_because: expect.stringContaining('stopped by local') },
    next: { action: 'lift' },
    ways_out: [wayOut('pmctl start web')],
  });
});

test('why a stop takes so long', async () => {
  const instance = await startInstance();
  instance.defineScript('slow', 'trap "" TERM; sleep 1000; sleep 1000', {
    process: { stop_grace_period_ms: 600_000 },
  });
  await instance.running('slow', 2);
  await instance.phase('slow', 'RUNNING');
  expect((await instance.pmctl('stop', 'slow', '--no-wait')).code).toBe(0);
  await instance.phase('slow', 'STOPPING');
  const [shell = 0] = await instance.running('slow', 2);

  const { summary, next, observed } = await facts(instance, 'slow');
  expect(summary).toMatch(
    new RegExp(
      `^slow is STOPPING: stopped by local; pids ${shell}, .+ to be killed in 9 m \\d+ s$`,
    ),
  );
  expect(next).toMatchObject({ action: 'kill', message: '2 processes are killed if still there' });
  expect(observed.main_pid).toBe(shell);

  instance.define('slow', {
    process: { working_directory: '/', stop_grace_period_ms: 1 },
  });
  await instance.gone('slow');
});

test('a description shows every key of the definition in force, without secrets, and the runs', async () => {
  const instance = await startInstance();
  instance.define(
    'shop',
    `description: sells things
process:
  working_directory: ${instance.folder('shop')}
  start_command: [/bin/sleep, '1000']
  environment:
    - {name: DB_PASSWORD, value: hunter2}
    - {name: LANG, value: C}
`,
  );
  await instance.running('shop', 1);
  await instance.phase('shop', 'RUNNING');
  expect((await instance.pmctl('restart', 'shop')).code).toBe(0);

  const { stdout } = await instance.pmctl('describe', 'shop', '--format', 'json');
  expect(stdout).not.toContain('hunter2');
  const { service, spec, runs } = JSON.parse(stdout) as Description;
  expect(service).toMatchObject({ application: 'shop', generation: 1, phase: 'RUNNING' });
  const field = (key: string) => spec?.find((one) => one.key === key);
  expect(field('process.start_command')).toMatchObject({ value: ['/bin/sleep', '1000'], line: 4 });
  expect(field('process.stop_grace_period_ms')).toMatchObject({ value: 5_000, line: null });
  expect(runs.map(({ run, exit }) => [run, exit?.signal ?? null])).toEqual([
    [2, null],
    [1, 'SIGTERM'],
  ]);

  const text = await instance.pmctl('describe', 'shop');
  expect(text.code).toBe(0);
  expect(text.stdout).toContain('description  sells things\n');
  expect(text.stdout).toMatch(/process\.working_directory +3 +\//);
  expect(text.stdout).toContain('{"name":"DB_PASSWORD","value":"***"}');
  expect(text.stdout).not.toContain('hunter2');
});

test.for(['why', 'describe'])('%s of a name that nobody has offers near ones', async (command) => {
  const instance = await startInstance();
  instance.defineScript('web', 'exec sleep 1000');
  await instance.running('web', 1);
  const { code, stderr } = await instance.pmctl(command, 'wbe');
  expect(code).toBe(4);
  expect(stderr).toContain("did you mean 'web'?");
  expect((await instance.pmctl(command)).code).toBe(2);
});
