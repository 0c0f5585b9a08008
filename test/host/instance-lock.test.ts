import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { acquireInstanceLock } from '../../src/host/instance-lock.ts';
import { bootId, readProcess } from '../../src/host/process-info.ts';
import { errorOf, pidOf, scratchFolder, start } from './rig.ts';

const MODULE = join(import.meta.dirname, '../../src/host/instance-lock.ts');

/** Another daemon: says `held` or the code of its error, then lives on. */
function contender(path: string): ChildProcess {
  const script = `
    import { acquireInstanceLock } from '${MODULE}';
    try { acquireInstanceLock(process.argv[1]); console.log('held'); }
    catch (error) { console.log(error.code); }
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function wordOf(child: ChildProcess): Promise<string> {
  for await (const text of child.stdout ?? []) return String(text).trim();
  throw new Error('it said nothing');
}

const lockPath = () => join(scratchFolder(), 'daemon.lock');
const holding = (pid: number, ticks: number, boot: string) => `${pid} ${ticks} ${boot}\n`;

test('is held until it is released, by one at a time', () => {
  const path = lockPath();
  const lock = acquireInstanceLock(path);
  const error = errorOf(() => acquireInstanceLock(path));
  expect(error.code).toBe('conflict');
  expect(error.message).toContain(`process ${process.pid} holds it`);
  lock.release();
  lock.release();
  expect(existsSync(path)).toBe(false);
  acquireInstanceLock(path).release();
});

test('names the other process that holds it', async () => {
  const path = lockPath();
  const other = contender(path);
  expect(await wordOf(other)).toBe('held');
  const error = errorOf(() => acquireInstanceLock(path));
  expect([error.code, error.message.includes(`process ${pidOf(other)} `)]).toEqual([
    'conflict',
    true,
  ]);
});

test('is free again when its holder was killed', async () => {
  const path = lockPath();
  const other = contender(path);
  expect(await wordOf(other)).toBe('held');
  other.kill('SIGKILL');
  await once(other, 'exit');
  acquireInstanceLock(path).release();
  expect(existsSync(path)).toBe(false);
});

test.each<[string, () => string]>([
  ['a process of an earlier boot', () => holding(process.pid, ticks(process.pid), '0-0')],
  ['an earlier process with the pid', () => holding(process.pid, ticks(process.pid) - 1, bootId())],
  ['nobody, being empty', () => ''],
  ['nobody, being garbage', () => '\0\0garbage'],
])('is taken from %s', (_, content) => {
  const path = lockPath();
  writeFileSync(path, content());
  const lock = acquireInstanceLock(path);
  expect(readFileSync(path, 'utf8')).toBe(holding(process.pid, ticks(process.pid), bootId()));
  expect(readdirSync(join(path, '..'))).toEqual(['daemon.lock']);
  lock.release();
});

test('a release leaves the lock of another alone', () => {
  const path = lockPath();
  const lock = acquireInstanceLock(path);
  const other = holding(1, ticks(1), bootId());
  writeFileSync(path, other);
  lock.release();
  expect(readFileSync(path, 'utf8')).toBe(other);
});

test('exactly one of many gets what a dead one held', async () => {
  const path = lockPath();
  const dead = start('true');
  const pid = pidOf(dead);
  const startTicks = ticks(pid);
  await once(dead, 'exit');
  writeFileSync(path, holding(pid, startTicks, bootId()));
  const words = await Promise.all(Array.from({ length: 8 }, () => wordOf(contender(path))));
  expect(words.sort()).toEqual([...Array(7).fill('conflict'), 'held']);
});

test('says which system error there was', () => {
  const error = errorOf(() => acquireInstanceLock('/nonexistent/daemon.lock'));
  expect([error.code, error.errno]).toEqual(['io', 'ENOENT']);
});

function ticks(pid: number): number {
  return readProcess(pid)?.startTicks ?? 0;
}
