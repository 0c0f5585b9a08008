import { expect, test } from 'vitest';
import { type Outcome, program, runProgram } from './programs.ts';
import { Terminal } from './terminal.ts';

const ENV = { PATH: '/usr/bin:/bin' };

function pmctl(...args: string[]): Promise<Outcome> {
  return program('pmctl').then((file) => runProgram(file, ['password', ...args], { env: ENV }));
}

/** With these bytes (as printf writes them) as stdin. */
async function fed(text: string, ...args: string[]): Promise<Outcome> {
  const script = `printf '${text}' | "$0" password "$@"`;
  return runProgram('/bin/sh', ['-c', script, await program('pmctl'), ...args], { env: ENV });
}

test('the session of the manual: generate, then verify from stdin', async () => {
  const made = await pmctl('generate', '--user', 'hello', '--password', 'xyz');
  expect(made.code).toBe(0);
  expect(made.stdout).toMatch(/^hello:\$2b\$12\$[./A-Za-z0-9]{53}\n$/);
  expect(made.stderr).toMatch(/^pmctl: warning: a password in the command line is seen/);
  const secure = made.stdout.trim();
  const verify = ['verify', '--secure', secure, '--user', 'hello', '--password'];
  expect(await fed('xyz\\n', ...verify)).toEqual({ code: 0, stdout: 'OK\n', stderr: '' });
  expect(await fed('xyz\\r\\n', ...verify, '-')).toMatchObject({ code: 0 });
  expect(await fed('xyz', ...verify)).toMatchObject({ code: 0 });
  const wrong = await fed('xyZ\\n', ...verify);
  expect(wrong).toMatchObject({ code: 1, stdout: '' });
  expect(wrong.stderr).toContain('it does not match');
  const other = await fed('xyz\\n', 'verify', '--secure', secure, '--user', 'admin', '--password');
  expect(other.code).toBe(1);
});

test.each(['2a', '2b', '2y'])('knows the hash of another tool, $%s$', async (kind) => {
  // The first vector of crypt_blowfish.
  const secure = `u:$${kind}$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW`;
  const verify = ['verify', '--user', 'u', '--secure', secure, '-o', 'json', '--password'];
  expect(JSON.parse((await fed('U*U\\n', ...verify)).stdout)).toEqual({ user: 'u', ok: true });
  expect((await fed('U*V\\n', ...verify)).code).toBe(1);
});

test('each time another hash; --password may stand before other options', async () => {
  const [one, other] = await Promise.all(
    ['a', 'b'].map(() => fed('same\\n', 'generate', '--password', '--user', 'u')),
  );
  expect(one?.stdout).toMatch(/^u:/);
  expect(one?.stdout).not.toBe(other?.stdout);
});

test.each([
  [['generate', '--password'], 'x\\n', '--user NAME is missing'],
  [['generate', '--user', 'a:b', '--password'], 'x\\n', "without blanks and ':'"],
  [['generate', '--user', 'u'], 'x\\n', '--password is missing'],
  [['generate', '--user', 'u', '--password'], '', 'stdin has no line'],
  [['generate', '--user', 'u', '--password'], '\\n', 'it is empty'],
  [['generate', '--user', 'u', '--password'], `${'x'.repeat(73)}\\n`, 'longer than 72 bytes'],
  [['verify', '--user', 'u', '--password'], 'x\\n', '--secure USER:HASH is missing'],
  [['verify', '--user', 'u', '--secure', 'u:plain', '--password'], 'x\\n', 'with a bcrypt hash'],
  [['show'], '', 'expected generate or verify'],
])('%j is refused with the reason', async (args, input, reason) => {
  const { code, stdout, stderr } = await fed(input, ...args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(reason);
});

test('on a terminal it is asked for twice, and never shown', async () => {
  const file = await program('pmctl');
  const terminal = await Terminal.run(
    `"${file}" password generate --user admin --password; echo "code $?"; exec sleep 100`,
    ENV,
  );
  await terminal.shows('Password:');
  await terminal.press('s', 'e', 'x', 'BSpace', 'c', 'Enter');
  await terminal.shows('Again:');
  await terminal.press('s', 'e', 'c', 'Enter');
  const screen = await terminal.shows('code 0');
  expect(screen.replaceAll(/\n/g, '')).toMatch(/Password: ?Again: ?admin:\$2b\$12\$\S{53}code 0/);
});

test('typed differently, or interrupted', async () => {
  const file = await program('pmctl');
  const command = `"${file}" password generate --user admin --password; echo "code $?"; `;
  const terminal = await Terminal.run(`${command}${command}exec sleep 100`, ENV);
  await terminal.shows('Password:');
  await terminal.press('a', 'Enter');
  await terminal.shows('Again:');
  await terminal.press('b', 'Enter');
  await terminal.shows('it was typed differently');
  await terminal.shows(/code 2\nPassword:/);
  await terminal.press('C-c');
  await terminal.shows('code 130');
});
