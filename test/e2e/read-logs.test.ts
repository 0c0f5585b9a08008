import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { backupNames } from '../logs/log-files.ts';
import { type Instance, startInstance } from './harness.ts';
import { readOr } from './kernel.ts';
import { program } from './programs.ts';
import { waitFor } from './wait-for.ts';

const stdoutOf = (instance: Instance, service: string) =>
  join(instance.folder(service), 'logs/stdout.log');

/** A pmctl that goes on, and what it has printed. */
async function follow(instance: Instance, ...args: string[]) {
  const child: ChildProcess = spawn(await program('pmctl'), args, {
    env: { PATH: process.env.PATH, PMCTL_SOCK: instance.socket },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = { out: '', err: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said.out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said.err += text;
  });
  const until = (text: string) =>
    waitFor(() => said.out.includes(text), { what: `'${text}' in the output`, deadlineMs: 20_000 });
  const complaint = (text: string) =>
    waitFor(() => said.err.includes(text), { what: `'${text}' in stderr`, deadlineMs: 20_000 });
  return { said, until, complaint };
}

test('following loses and doubles no line over rotations, compression and a restart of the daemon', async () => {
  const instance = await startInstance();
  const go = join(instance.folder('loud'), 'go');
  instance.defineScript(
    'loud',
    `i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "line $i"; [ $((i % 100)) -ne 0 ] || sleep 0.1; done
     until [ -e go ]; do sleep 0.1; done; seq -f 'more %.0f' 1 3000; exec sleep 1000`,
    { logs: { rotation_size: 4_000, rotation_backups: 100 } },
  );
  await instance.phase('loud', 'RUNNING');
  const { said, until } = await follow(instance, 'logs', '-f', 'loud', '--stdout', '-n', '10000');
  await until('line 3000\n');
  const path = stdoutOf(instance, 'loud');
  await waitFor(() => backupNames(path).every((name) => name.endsWith('.gz')), {
    what: 'everything to be compressed',
    deadlineMs: 30_000,
  });
  await instance.endDaemon('SIGKILL');
  writeFileSync(go, '');
  await waitFor(() => readOr(path, '').endsWith('more 3000\n'), {
    what: 'the last line',
    deadlineMs: 20_000,
  });
  await instance.start();
  await until('more 3000\n');
  const numbers = Array.from({ length: 3_000 }, (_, at) => at + 1);
  const expected = ['line', 'more'].flatMap((word) => numbers.map((number) => `${word} ${number}`));
  expect(said.out).toBe(`${expected.join('\n')}\n`);
  // All of it is there later, too, from compressed files and plain ones.
  const all = await instance.pmctl('logs', 'loud', '--grep', '.', '--stdout');
  expect(all.stdout).toBe(said.out);
  const last = await instance.pmctl('logs', 'loud', '--stdout', '-n', '3001');
  expect(last.stdout).toBe(`${expected.slice(-3_001).join('\n')}\n`);
  expect((await instance.pmctl('logs', 'loud', '-n', '2000')).stdout.split('\n').length).toBe(
    2_001,
  );
}, 60_000);

test('following goes on when the file is emptied or removed, and over several services', async () => {
  const instance = await startInstance();
  for (const service of ['one', 'two']) {
    instance.defineScript(
      service,
      'i=0; while :; do i=$((i+1)); [ -e "say.$i" ] || { i=$((i-1)); sleep 0.05; continue; }; cat "say.$i"; done',
    );
    await instance.phase(service, 'RUNNING');
  }
  const say = (service: string, number: number, text: string) => {
    const folder = instance.folder(service);
    writeFileSync(join(folder, 'next'), `${text}\n`);
    renameSync(join(folder, 'next'), join(folder, `say.${number}`));
  };
  const { said, until, complaint } = await follow(instance, 'logs', '-f', 'stdout.log');
  say('one', 1, 'the first of them all');
  await until('the first of them all\n');
  truncateSync(stdoutOf(instance, 'one'));
  say('one', 2, 'emptied');
  await until('emptied\n');
  await complaint('was emptied, replaced or removed');
  rmSync(stdoutOf(instance, 'one'));
  // Its writer looks every now and then; what was said before that is in the file that is gone.
  let number = 2;
  const isThere = () => {
    const said = existsSync(join(instance.folder('one'), `say.${number}`));
    if (said) number += 1;
    say('one', number, 'removed');
    return existsSync(stdoutOf(instance, 'one'));
  };
  await waitFor(isThere, { what: 'another file', deadlineMs: 20_000 });
  await until('removed\n');
  say('two', 1, 'from the other');
  await until('from the other\n');
  const heading = (service: string) => `==> ${stdoutOf(instance, service)} <==\n`;
  expect(said.out.replaceAll(/(removed\n)+/g, 'removed\n')).toBe(
    `${heading('one')}the first of them all\nemptied\nremoved\n\n${heading('two')}from the other\n`,
  );
  // A service is not mistaken for a file, and what is neither is told.
  const unknown = await instance.pmctl('logs', '-f', 'nothing.log');
  expect(unknown).toMatchObject({ code: 4, stdout: '' });
}, 60_000);

test('lines are picked by their time, their run and their text, and merged', async () => {
  const instance = await startInstance();
  instance.defineScript(
    'app',
    `n=$(cat runs 2>/dev/null || echo 0); n=$((n+1)); echo $n >runs
     for i in 1 2 3 4 5 6; do echo "run $n out $i"; sleep 0.02; echo "run $n err $i" >&2; sleep 0.02; done
     printf '\\033[31mred\\033[0m \\033]0;title\\007\\n'; touch said.$n; exec sleep 1000`,
    { logs: { timestamps: true } },
  );
  for (const run of [1, 2, 3]) {
    await waitFor(() => existsSync(join(instance.folder('app'), `said.${run}`)), {
      what: `run ${run}`,
      deadlineMs: 20_000,
    });
    await waitFor(() => readOr(stdoutOf(instance, 'app'), '').split('title').length > run, {
      what: 'its last line',
      deadlineMs: 20_000,
    });
    if (run < 3) expect((await instance.pmctl('restart', 'app')).code).toBe(0);
  }
  const shown = async (...args: string[]) => (await instance.pmctl('logs', 'app', ...args)).stdout;
  const words = (text: string) => text.replaceAll(/^(?:app \w+: )?\S+Z /gm, '');

  const previous = words(await shown('--previous', '--stderr'));
  expect(previous).toBe([1, 2, 3, 4, 5, 6].map((i) => `run 2 err ${i}\n`).join(''));

  const merged = words(await shown('--merge', '--previous', '--grep', '^\\S+ run')).split('\n');
  const pairs = [1, 2, 3, 4, 5, 6].flatMap((i) => [`run 2 out ${i}`, `run 2 err ${i}`]);
  expect(merged).toEqual([...pairs, '']);

  const context = words(await shown('--stdout', '--grep', 'run [13] out 3', '-C', '1'));
  const around = (run: number) => [2, 3, 4].map((i) => `run ${run} out ${i}\n`).join('');
  expect(context).toBe(`${around(1)}--\n${around(3)}`);
  const apart = words(await shown('--merge', '--grep', 'run [13] out 3', '-C', '1'));
  expect(apart).toBe(context);

  const json = (await shown('--json', '--stderr', '-n', '1')).trim();
  expect(JSON.parse(json)).toMatchObject({ application: 'app', stream: 'stderr' });
  const { time, line } = JSON.parse(json) as { time: string; line: string };
  expect(line.startsWith(time.slice(0, -1))).toBe(true);
  expect(words(await shown('--stderr', '--since', time))).toBe('run 3 err 6\n');
  const before = words(await shown('--stderr', '--until', time));
  expect(before.split('\n').length).toBeGreaterThanOrEqual(18);

  // Nothing that a service says acts on a terminal, unless that is asked for.
  expect(await shown('--stdout', '-n', '1')).toMatch(/Z red ␛\]0;title␇\n$/);
  expect(await shown('--stdout', '-n', '1', '--raw')).toContain(
    'Z \x1b[31mred\x1b[0m \x1b]0;title\x07\n',
  );
  expect(await instance.pmctl('logs', 'app', '--grep', '(')).toMatchObject({ code: 2 });
  expect(await instance.pmctl('logs')).toMatchObject({ code: 2 });
  expect(await instance.pmctl('logs', 'app', '-f', '--previous')).toMatchObject({ code: 2 });
}, 60_000);

test('a hint is followed as its user, over being replaced', async () => {
  const instance = await startInstance();
  const folder = instance.folder('own');
  const hint = join(folder, 'own.log');
  writeFileSync(hint, 'before\n', { mode: 0o644 });
  const user = 'nobody';
  const secret = join(instance.root, 'secret');
  writeFileSync(secret, 'the password\n', { mode: 0o600 });
  instance.defineScript('own', 'exec sleep 1000', {
    process: { user },
    logs: { hints: ['own.log', secret] },
  });
  await instance.phase('own', 'RUNNING');
  const { said, until } = await follow(instance, 'logs', '-f', 'own');
  await until('before\n');
  appendFileSync(hint, 'after\n');
  await until('after\n');
  renameSync(hint, `${hint}.old`);
  writeFileSync(hint, 'replaced\n', { mode: 0o644 });
  await until('replaced\n');
  expect(said.out).toBe(`==> ${hint} <==\nbefore\nafter\nreplaced\n`);
  const denied = `pmctl: cannot show '${secret}': user 'nobody' cannot read it: Permission denied\n`;
  expect(said.err).toContain(denied);
  const picked = await instance.pmctl('logs', 'own', '--grep', '.');
  expect(picked).toEqual({ code: 1, stdout: `==> ${hint} <==\nreplaced\n`, stderr: denied });
}, 40_000);

test('the output of a job is shown whole over rotations', async () => {
  const instance = await startInstance();
  instance.defineScript('report', "seq 1 20000; printf 'no newline'", {
    process: { schedule: '0 0 1 1 *' },
    logs: { rotation_size: 10_000, rotation_backups: 200 },
  });
  await waitFor(() => instance.status('report'), { what: 'the job to be known' });
  const { code, stdout, stderr } = await instance.pmctl('run', 'report');
  expect([code, stderr]).toEqual([0, '']);
  // What the last line lacks is added when the run is over.
  const numbers = Array.from({ length: 20_000 }, (_, at) => `${at + 1}\n`);
  expect(stdout === `${numbers.join('')}no newline\n`).toBe(true);
}, 60_000);

test('the tail of a huge file is there at once', async () => {
  const instance = await startInstance();
  instance.defineScript('huge', 'echo begun; exec sleep 1000');
  await instance.phase('huge', 'RUNNING');
  const path = stdoutOf(instance, 'huge');
  await waitFor(() => readOr(path, '') === 'begun\n', { what: 'its first line' });
  // Ten gigabytes that take no room: a hole, then lines.
  execFileSync('truncate', ['-s', '10G', path]);
  const at = (ms: number) => new Date(ms).toISOString();
  const lines = Array.from({ length: 5_000 }, (_, line) => `${at(line * 1_000)} line ${line}\n`);
  appendFileSync(path, `\n${lines.join('')}`);
  const begun = performance.now();
  const { stdout } = await instance.pmctl('logs', 'huge', '--stdout', '-n', '3');
  expect(performance.now() - begun).toBeLessThan(3_000);
  expect(stdout).toBe(lines.slice(-3).join(''));
}, 30_000);
