import { isatty } from 'node:tty';
import { type Invocation, json, type Output, printed } from '../invocation.ts';
import { readSecret } from '../read-secret.ts';
import { UsageError } from '../usage-error.ts';

/** Stands for a line of stdin. */
const STDIN = '-';
/** What htpasswd(1) allows, less what would not fit a line of YAML. */
const USER = /^[^\s:\p{Cc}]{1,64}$/u;

export async function run(invocation: Invocation): Promise<Output> {
  const [verb] = invocation.operands;
  if (verb === 'generate') return generate(invocation);
  if (verb === 'verify') return verify(invocation);
  throw misused(`cannot ${verb} a password: expected generate or verify`);
}

async function generate(invocation: Invocation): Promise<Output> {
  const user = readUser(invocation);
  const password = await readPassword(invocation);
  if (password.isTyped) await typedAgain(invocation, password.text);
  // A program of its own (dist/password): no other command needs it.
  const { hashPassword, passwordComplaint } = await import('../../lib/password-hash.ts');
  const complaint = passwordComplaint(password.text);
  if (complaint !== null) throw misused(`cannot use that password: ${complaint}`);
  const secure = `${user}:${await hashPassword(password.text)}`;
  return printed(invocation.format === 'json' ? json({ user, secure }) : `${secure}\n`);
}

async function verify(invocation: Invocation): Promise<Output> {
  const user = readUser(invocation);
  const { secure } = invocation.values;
  if (typeof secure !== 'string') throw misused('cannot verify: --secure USER:HASH is missing');
  const { isPasswordHash, isPasswordOf } = await import('../../lib/password-hash.ts');
  const at = secure.indexOf(':');
  const hashed = secure.slice(at + 1);
  if (at < 1 || !isPasswordHash(hashed)) {
    throw misused(
      "cannot use that '--secure': expected USER:HASH with a bcrypt hash, $2b$, $2a$ or $2y$",
    );
  }
  const password = await readPassword(invocation);
  const isRight = secure.slice(0, at) === user && (await isPasswordOf(password.text, hashed));
  if (invocation.format === 'json')
    return { ...printed(json({ user, ok: isRight })), exitCode: isRight ? 0 : 1 };
  if (isRight) return printed('OK\n');
  const stderr = `pmctl: it does not match: another user or another password than that of --secure\n`;
  return { stdout: '', stderr, exitCode: 1 };
}

function readUser({ values: { user } }: Invocation): string {
  if (typeof user === 'string' && USER.test(user)) return user;
  if (user === undefined) throw misused('cannot go on: --user NAME is missing');
  throw misused(`cannot use '--user ${user}': expected up to 64 characters without blanks and ':'`);
}

async function readPassword(invocation: Invocation) {
  const { password } = invocation.values;
  if (password === undefined) {
    throw misused('cannot go on: --password is missing (alone, it is read from stdin)');
  }
  if (password === STDIN || password === true) {
    return { text: await readSecret('password', 'Password: ', invocation), isTyped: isatty(0) };
  }
  await invocation.complain(
    'pmctl: warning: a password in the command line is seen by every process and kept by the shell; --password alone reads it from stdin\n',
  );
  return { text: password, isTyped: false };
}

async function typedAgain(invocation: Invocation, password: string): Promise<void> {
  const again = await readSecret('password', 'Again: ', invocation);
  if (again !== password) throw misused('cannot use that password: it was typed differently');
}

function misused(message: string): UsageError {
  return new UsageError('password', message);
}
