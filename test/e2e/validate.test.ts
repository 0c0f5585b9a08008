import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { examples, program, runProgram } from './programs.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures');

const GOOD = 'process: {working_directory: /srv}\n';

test('every problem of every file is printed with its place, and nothing but that', async () => {
  const folder = scratch();
  const good = write(folder, 'good.yaml', GOOD);
  const bad = write(
    folder,
    'bad.yaml',
    'process:\n  nice: 99\n  usr: me\nglobal: {enabled: yes}\n',
  );
  const master = write(folder, 'config.yaml', 'cgroup: {name: x}\nunix_socket: {mode: 0990}\n');

  const { code, stdout, stderr } = await validate(good, bad, master);

  expect(stdout).toBe(
    `${bad}:1:1: process.working_directory: expected a path, got nothing
${bad}:2:9: process.nice: expected a nice value from -20 to 19, got 99
${bad}:3:3: process: unknown key "usr"; did you mean "user"?
${bad}:4:19: global.enabled: expected true or false, got "yes"
${master}:1:1: global: expected config_directory or auto_service_directory (or both), got neither
${master}:2:21: unix_socket.mode: expected an octal file mode such as 0660, got 0990
`,
  );
  expect([code, stderr]).toEqual([9, '3 files: 2 invalid, 6 problems\n']);
  expect(await validate(good)).toEqual({ code: 0, stdout: '', stderr: '1 file: all valid\n' });
});

test('as JSON each problem is a row', async () => {
  const folder = scratch();
  const bad = write(folder, 'bad.yaml', 'process: {working_directory: /srv, nice: 99}\n');
  const gone = join(folder, 'gone.yaml');

  const { code, stdout, stderr } = await validate(bad, gone, '--format', 'json');

  expect(JSON.parse(stdout)).toEqual([
    {
      file: bad,
      line: 1,
      column: 42,
      key_path: 'process.nice',
      message: 'expected a nice value from -20 to 19, got 99',
      kind: 'service',
    },
    {
      file: gone,
      line: null,
      column: null,
      key_path: '',
      message: 'cannot be read: No such file or directory (ENOENT)',
      kind: null,
    },
  ]);
  expect([code, stderr]).toEqual([9, '']);
  const good = write(folder, 'good.yaml', GOOD);
  expect(await validate(good, '-o', 'json')).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
});

test('a folder stands for the definitions in it, those of service folders too', async () => {
  const folder = scratch();
  write(folder, 'a.yaml', GOOD);
  write(folder, '.hidden.yaml', 'x');
  write(folder, 'notes.txt', 'x');
  const box = write(folder, 'box/service.yml', 'process: {start_command: [./run.sh], nic: 1}\n');
  write(folder, 'both/service.yml', 'description: preferred\n');
  write(folder, 'both/service.yaml', 'nonsense');
  write(folder, 'off.disabled/service.yml', 'nonsense');
  mkdirSync(join(folder, 'empty'));

  const { stdout, stderr } = await validate(folder);

  expect(stdout).toBe(`${box}:1:38: process: unknown key "nic"; did you mean "nice"?\n`);
  expect(stderr).toBe('3 files: 1 invalid, 1 problem\n');
  expect(await validate(box, folder)).toMatchObject({ stderr });
  const none = join(folder, 'empty');
  expect((await validate(none)).stdout).toBe(
    `${none}: expected *.yaml or *.yml files in this folder, got none\n`,
  );
  expect((await validate(examples, join(examples, 'config.d'))).code).toBe(0);
});

test('one name in two files is a problem of both', async () => {
  const folder = scratch();
  const one = write(folder, 'web.yaml', GOOD);
  const two = write(folder, 'other.yaml', `application: web\n${GOOD}`);
  const broken = write(folder, 'third.yaml', 'application: web\nprocess: 5\n');

  const { code, stdout } = await validate(one, two, broken);

  expect(stdout).toBe(
    `${one}: 'web' is defined more than once: also in ${two}, ${broken} (keep one)
${two}: 'web' is defined more than once: also in ${broken}, ${one} (keep one)
${broken}:2:10: process: expected a map of keys, got 5
${broken}: 'web' is defined more than once: also in ${two}, ${one} (keep one)
`,
  );
  expect(code).toBe(9);
});

test('all the mistakes of the fixtures are told with their places', async () => {
  const names = readdirSync(FIXTURES).filter((name) => name.startsWith('rejected-'));
  for (const kind of ['service', 'master']) {
    const files = names
      .filter((name) => name.includes('-master-') === (kind === 'master'))
      .map((name) => join(FIXTURES, name));
    expect(files.length).toBeGreaterThan(20);
    const { code, stdout, stderr } = await validate(...files, '--kind', kind);
    const lines = stdout.split('\n').filter((line) => !line.includes('is defined more than once'));
    for (const file of files) {
      const told = lines.filter((line) => line.startsWith(`${file}:`));
      const expected = [...readFileSync(file, 'utf8').matchAll(/^# expect: (.*)$/gm)];
      expect(told).toEqual(expected.map(([, problem]) => `${file}:${problem}`));
    }
    expect(code).toBe(9);
    expect(stderr).toContain(`${files.length} files: ${files.length} invalid`);
  }
});

test('what is right passes, told by its content what it is', async () => {
  const files = readdirSync(FIXTURES).filter((name) => name.startsWith('accepted-'));
  for (const name of files) {
    const { code, stdout } = await validate(join(FIXTURES, name));
    expect([name, code, stdout]).toEqual([name, 0, '']);
  }
});

test('what a file is may be said', async () => {
  const folder = scratch();
  const file = write(folder, 'half.yaml', 'description: works where it lies\n');
  expect((await validate(file)).code).toBe(9);
  expect((await validate(file, '--kind', 'auto-service')).code).toBe(0);
  expect((await validate(file, '--kind', 'master')).stdout).toContain('unknown key "description"');
  const usage = await validate(file, '--kind', 'unit');
  expect(usage).toMatchObject({ code: 2, stderr: expect.stringContaining('auto-service, master') });
  expect((await validate()).code).toBe(2);
});

test('the standard input and pipes are read, other oddities are named and not waited for', async () => {
  const folder = scratch();
  const piped = async (input: string) => {
    const child = spawn(await program('pmctl'), ['validate', '-'], { timeout: 20_000 });
    child.stdin.end(input);
    const [stdout] = await Promise.all([text(child.stdout), once(child, 'close')]);
    return { code: child.exitCode, stdout };
  };
  expect(await piped(GOOD)).toEqual({ code: 0, stdout: '' });
  expect(await piped('process: 5\n')).toEqual({
    code: 9,
    stdout: '-:1:10: process: expected a map of keys, got 5\n',
  });
  const shell = ['-c', `"$0" validate <(printf 'process: 7')`, await program('pmctl')];
  expect((await runProgram('bash', shell)).stdout).toContain('expected a map of keys, got 7');

  const fifo = join(folder, 'fifo.yaml');
  await promisify(execFile)('mkfifo', [fifo]);
  symlinkSync('loop.yaml', join(folder, 'loop.yaml'));
  symlinkSync('/dev/zero', join(folder, 'zero.yaml'));
  write(folder, 'large.yaml', '#'.repeat(1_100_000));
  write(folder, 'utf16.yaml', Buffer.from('process: x', 'utf16le'));
  write(folder, 'latin1.yaml', Buffer.from('description: caf\xe9', 'latin1'));
  const { stdout } = await validate(folder);
  expect(stdout.replaceAll(`${folder}/`, '')).toBe(
    `fifo.yaml: cannot be read: it is no regular file
large.yaml: expected at most 1 MiB, got more
latin1.yaml: expected UTF-8 text, got bytes that are none
loop.yaml: cannot be read: Too many levels of symbolic links (ELOOP)
utf16.yaml: expected text, got a NUL byte (is it a binary file, or UTF-16?)
zero.yaml: cannot be read: it is no regular file
`,
  );
});

test('it needs neither root nor a daemon, and reads what the user can', async () => {
  const folder = scratch();
  chmodSync(folder, 0o755);
  const file = write(folder, 'web.yaml', GOOD);
  linkSync(file, join(folder, 'other-name.txt'));
  symlinkSync(file, join(folder, 'linked.yaml'));
  const secret = write(folder, 'secret.yaml', GOOD);
  chmodSync(secret, 0o600);
  const asNobody = async (path: string) => {
    const args = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
    const env = { PATH: process.env.PATH, PMCTL_SOCK: '/nonexistent' };
    const command = [...args, await program('pmctl'), 'validate', path];
    return runProgram('setpriv', command, { env });
  };
  expect(await asNobody(join(folder, 'linked.yaml'))).toMatchObject({ code: 0, stdout: '' });
  expect((await asNobody(secret)).stdout).toBe(
    `${secret}: cannot be read: Permission denied (EACCES)\n`,
  );
});

test('a check goes through everything that the master config names, be that wrong itself', async () => {
  const folder = scratch();
  const config = write(
    folder,
    'config.yaml',
    'cgroup: {nam: x}\nglobal: {config_directory: c, auto_service_directory: missing}\n',
  );
  const one = write(folder, 'c/one.yaml', 'application: twice\nprocess: {working_directory: /}\n');
  const two = write(folder, 'c/two.yaml', 'application: twice\nprocess: 5\n');
  const check = async (...args: string[]) =>
    runProgram(await program('processmaster'), ['--check', '-c', config, ...args]);

  const missing = join(folder, 'missing');
  const checked = await check();
  expect([checked.code, checked.stdout]).toEqual([1, '']);
  expect(checked.stderr).toBe(
    `${config}:1:10: cgroup: unknown key "nam"; did you mean "name"?
${missing}: cannot read the auto service folder '${missing}': No such file or directory (ENOENT)
${one}: 'twice' is defined more than once: also in ${two} (keep one)
${two}:2:10: process: expected a map of keys, got 5
${two}: 'twice' is defined more than once: also in ${one} (keep one)
`,
  );
  const asJson = await check('--format', 'json');
  expect(asJson).toMatchObject({ code: 1, stderr: '' });
  expect(JSON.parse(asJson.stdout)).toHaveLength(5);
  expect(JSON.parse(asJson.stdout)[3]).toEqual({
    file: two,
    line: 2,
    column: 10,
    key_path: 'process',
    message: 'expected a map of keys, got 5',
  });
  expect((await check('--format', 'xml')).code).toBe(2);
});

test('what a file holds does not steer the terminal', async () => {
  const folder = scratch();
  const config = write(folder, 'config.yaml', 'global: {config_directory: c}\n');
  const file = write(folder, 'c/odd.yaml', `${GOOD}labels: {"a\\x1b[31mb": [1]}\n`);
  const check = await runProgram(await program('processmaster'), ['--check', '-c', config]);
  const validated = await validate(file);
  for (const said of [check.stderr, validated.stdout]) {
    expect(said).toContain('expected a text, got a list');
    expect(said).not.toContain('\x1b');
  }
});

test('the rest of pmctl carries nothing of it', async () => {
  const pmctl = await program('pmctl');
  const ofYaml = 'Tabs are not allowed as indentation';
  expect(readFileSync(join(dirname(pmctl), 'validate'), 'utf8')).toContain(ofYaml);
  expect(readFileSync(pmctl, 'utf8')).not.toContain(ofYaml);
});

function validate(...args: string[]) {
  const env = { PATH: process.env.PATH, PMCTL_SOCK: '/nonexistent/socket' };
  return program('pmctl').then((pmctl) => runProgram(pmctl, ['validate', ...args], { env }));
}

function write(folder: string, name: string, content: string | Buffer): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pmtest-validate-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
