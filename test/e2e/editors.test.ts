import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, it, test } from 'vitest';
import { type Instance, startInstance } from './harness.ts';
import { waitFor } from './wait-for.ts';

const run = promisify(execFile);
const PATIENT = { deadlineMs: 30_000 };
const NANO_RESTS_MS = 300;
const TIMEOUT_MS = 90_000;

/** Each changes `by: nobody` to `by: somebody` in a file, in its own way of saving. */
const WAYS: Readonly<Record<string, (file: string) => Promise<unknown>>> = {
  vim: (file) => run('vim.tiny', ['-es', '-c', '%s/nobody/somebody/', '-c', 'wq', file]),
  'vim that writes a copy': (file) =>
    run('vim.tiny', ['-es', '-c', 'set bkc=no bk', '-c', '%s/nobody/somebody/', '-c', 'wq', file]),
  nano,
  'sed -i': (file) => run('sed', ['-i', 's/nobody/somebody/', file]),
  'cp over it': async (file) => {
    writeFileSync(`${file}.new`, edited(file));
    await run('cp', [`${file}.new`, file]);
    rmSync(`${file}.new`);
  },
  'a rename over it': async (file) => {
    writeFileSync(`${file}.new`, edited(file));
    renameSync(`${file}.new`, file);
  },
  'truncating and two writes': async (file) => {
    const text = edited(file);
    const middle = text.indexOf('somebody') + 'some'.length;
    writeFileSync(file, text.slice(0, middle));
    await delay(100);
    writeFileSync(file, text.slice(middle), { flag: 'a' });
  },
  'removing it and writing another': async (file) => {
    const text = edited(file);
    rmSync(file);
    await delay(100);
    writeFileSync(file, text);
  },
};

describe('a definition that is saved', () => {
  it.each(Object.entries(WAYS))(
    'by %s is taken once, whole, and restarts nothing',
    async (_, save) => {
      const instance = await startInstance();
      const file = instance.define('web', definition(instance, 'web'));
      const { pids } = await instance.phase('web', 'RUNNING', PATIENT.deadlineMs);
      await save(file);
      const isTaken = async () => (await accepted(instance, 'web')) === 2;
      await waitFor(isTaken, { what: 'the edit to be taken', ...PATIENT });
      expect(readFileSync(file, 'utf8')).toContain('by: somebody');
      expect((await instance.status('web'))?.pids).toEqual(pids);
      expect(await surprises(instance, 'web')).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it('without a change of what it says changes nothing', async () => {
    const instance = await startInstance();
    const file = instance.define('web', definition(instance, 'web'));
    const { pids } = await instance.phase('web', 'RUNNING', PATIENT.deadlineMs);
    await run('sed', ['-i', '1i # a comment', file]);
    expect((await instance.pmctl('update')).stdout).toBe('nothing changed\n');
    expect((await instance.status('web'))?.pids).toEqual(pids);
    expect(await accepted(instance, 'web')).toBe(1);
  });
});

test('a branch that changes 500 definitions is taken as it is when it is checked out', async () => {
  const instance = await startInstance();
  const folder = instance.configDirectory;
  const git = (...args: string[]) =>
    run('git', ['-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], { cwd: folder });
  const names = Array.from({ length: 500 }, (_, index) => `s${index}`);
  const write = (by: string) => {
    for (const name of names) {
      const isEnabled = name === 's0' || name === 's1';
      writeFileSync(join(folder, `${name}.yaml`), definition(instance, name, { by, isEnabled }));
    }
  };
  await git('init', '-q', '-b', 'old');
  write('nobody');
  await git('add', '.');
  await git('commit', '-q', '-m', 'old');
  await git('checkout', '-q', '-b', 'new');
  write('somebody');
  await git('commit', '-q', '-a', '-m', 'new');
  await git('checkout', '-q', 'old');
  const before = await instance.phase('s0', 'RUNNING', 60_000);
  await instance.phase('s499', 'DISABLED', 60_000);

  await git('checkout', '-q', 'new');
  const isTaken = async () => (await statusOf(instance, 's499'))?.labels.by === 'somebody';
  await waitFor(isTaken, { what: 'the last definition', deadlineMs: 60_000 });
  expect((await instance.pmctl('update')).code).toBe(0);
  const rows = [...(await instance.statuses()).values()];
  expect(rows).toHaveLength(500);
  expect(rows.filter(({ labels }) => labels.by !== 'somebody')).toEqual([]);
  expect((await instance.status('s0'))?.pids).toEqual(before.pids);
  expect(await surprises(instance, 's*')).toEqual([]);
}, 240_000);

function definition(
  instance: Instance,
  name: string,
  { by = 'nobody', isEnabled = true }: { by?: string; isEnabled?: boolean } = {},
): string {
  return [
    'process:',
    `  working_directory: ${instance.folder(name)}`,
    '  start_command: [sleep, "100000"]',
    'labels:',
    `  by: ${by}`,
    'global:',
    `  enabled: ${isEnabled}`,
    '',
  ].join('\n');
}

function edited(file: string): string {
  return readFileSync(file, 'utf8').replace('nobody', 'somebody');
}

/** On a terminal of its own, with the keys of a person: replace, write out, exit. */
async function nano(file: string): Promise<void> {
  const editor = spawn('script', ['-qec', `nano --ignorercfiles '${file}'`, '/dev/null'], {
    env: { PATH: process.env.PATH, TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = once(editor, 'exit');
  let drawnAtMs = Number.POSITIVE_INFINITY;
  editor.stdout.on('data', () => {
    drawnAtMs = performance.now();
  });
  // What it draws differs from version to version; that it has drawn and waits does not.
  const waits = () => performance.now() - drawnAtMs > NANO_RESTS_MS;
  for (const keys of ['\x1c', 'nobody\r', 'somebody\r', 'a', '\x0f', '\r', '\x18']) {
    await waitFor(waits, { what: 'nano to wait for a key', ...PATIENT });
    drawnAtMs = Number.POSITIVE_INFINITY;
    editor.stdin.write(keys);
  }
  await ended;
}

async function statusOf(instance: Instance, name: string) {
  return (await instance.statuses()).get(name);
}

/** How often a definition was accepted. */
async function accepted(instance: Instance, name: string): Promise<number> {
  const events = await instance.events(name);
  return events.filter(({ kind }) => kind === 'definition.accepted').length;
}

/** What would not have happened had every file been there, whole, at each moment. */
async function surprises(instance: Instance, names: string) {
  const { stdout } = await instance.pmctl('events', names, '-n', '10000', '--format', 'json');
  const events = JSON.parse(stdout) as { kind: string }[];
  const usual = ['definition.accepted', 'service.starting'];
  return events.filter(({ kind }) => !usual.includes(kind));
}
