import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { program, runProgram } from './programs.ts';

const names = ['processmaster', 'pmctl'] as const;

test.each(names)('%s says in one line that a Node is too old', async (name) => {
  const home = await installedAlone();
  // What a Node of that version does: it does not know the flags, and it tells its version.
  writeFileSync(
    join(home, 'old.cjs'),
    `Object.defineProperty(process, 'versions', { value: { node: '20.20.2' } });
Object.defineProperty(process, 'version', { value: 'v20.20.2' });`,
  );
  putNode(
    home,
    `for flag; do case $flag in --max-opt*) exit 9; esac; done
exec ${process.execPath} --require ${home}/old.cjs "$@"`,
  );

  const outcome = await runAlone(home, name, '--help');

  expect(outcome).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(
      new RegExp(`^${name}: needs Node.js 22.18 or newer, found v20.20.2 \\([^\\n]+\\)\\n$`),
    ),
  });
});

test.each(names)('%s says in one line that there is no Node', async (name) => {
  const home = await installedAlone();

  const outcome = await runAlone(home, name, '--help');

  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toMatch(
    new RegExp(`^${name}: needs Node.js [^\\n]+ found none [^\\n]+\\n$`),
  );
});

test.each(names)('%s runs on the Node of PATH where the package brings none', async (name) => {
  const home = await installedAlone();
  putNode(home, `exec ${process.execPath} "$@"`);

  expect(await runAlone(home, name, '--help')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(name),
    stderr: '',
  });
});

test('a program runs by a link to it, as npm makes them', async () => {
  const home = await installedAlone();
  symlinkSync(await program('pmctl'), join(home, 'bin/pm'));

  const outcome = await runProgram(join(home, 'bin/pm'), ['version'], {
    env: { PATH: '/usr/bin' },
  });

  expect(outcome).toMatchObject({ code: 0, stderr: '' });
});

test('signals that the daemon has a meaning for do not end it before it listens', async () => {
  const home = await installedAlone();
  // Sends them to itself when the program asks for its first module.
  writeFileSync(
    join(home, 'early.cjs'),
    `const Module = require('node:module');
const load = Module._load;
Module._load = function (request, ...rest) {
  if (request.startsWith('node:')) {
    Module._load = load;
    for (const signal of ['SIGUSR2', 'SIGHUP']) process.kill(process.pid, signal);
  }
  return load.call(this, request, ...rest);
};`,
  );
  putNode(
    home,
    `for signal in USR2 HUP; do kill -$signal $$; done
exec ${process.execPath} --require ${home}/early.cjs "$@"`,
  );

  const outcome = await runAlone(home, 'processmaster', '--version');

  expect(outcome).toMatchObject({ code: 0, stderr: '' });
});

/** The programs without what lies around them in a clone, and an otherwise empty PATH. */
async function installedAlone(): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'pmtest-programs-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  mkdirSync(join(home, 'bin'));
  for (const name of names) copyFileSync(await program(name), join(home, name));
  writeFileSync(join(home, 'package.json'), '{"type":"commonjs"}');
  return home;
}

function putNode(home: string, script: string): void {
  writeFileSync(join(home, 'bin/node'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(home, 'bin/node'), 0o755);
}

function runAlone(home: string, name: string, ...args: string[]) {
  return runProgram(join(home, name), args, { env: { PATH: join(home, 'bin') } });
}
