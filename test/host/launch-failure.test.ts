import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CgroupPath } from '../../src/host/cgroup.ts';
import type { LaunchRequest } from '../../src/host/launch.ts';
import { begin, failureOf, run, WWW } from './launch-rig.ts';
import { errorOf, executable, folderOf, scratchCgroup, scratchFolder } from './rig.ts';

describe.each(['/bin/sh', '/bin/bash'])('by %s', (shell) => {
  test('a folder that is not there is a failure at chdir', async () => {
    const failure = await failureOf({ argv: ['/bin/true'], cwd: '/nonexistent' }, shell);
    expect(failure).toMatchObject({ stage: 'chdir', output: '' });
    expect(failure.message).toContain('/nonexistent');
  });

  test('a cgroup that is not there is a failure before anything is run', async () => {
    const cgroup = `${scratchCgroup()}/missing` as CgroupPath;
    const failure = await failureOf({ argv: ['/bin/echo', 'ran'], cgroup }, shell);
    expect(failure).toMatchObject({ stage: 'enter cgroup', output: '' });
    expect(failure.message).toContain(cgroup);
  });

  test.each<[string, (path: string) => void, string]>([
    ['is not there', () => {}, 'No such file or directory'],
    ['may not be executed', (path) => executable(path, '', 0o644), 'Permission denied'],
  ])('a command that %s is a failure at exec', async (_, put, why) => {
    const path = join(scratchFolder(), 'run');
    put(path);
    for (const declared of [{}, { 'a.b': '1' }]) {
      const failure = await failureOf(
        { argv: [path], identity: WWW, environment: declared },
        shell,
      );
      expect(failure).toMatchObject({ stage: 'exec', message: why, output: '' });
    }
  });
});

describe('a failure', () => {
  test('at chdir is that of the user, not of root', async () => {
    const cwd = folderOf(scratchFolder(), 'closed', 0o700);
    expect(await failureOf({ argv: ['/bin/true'], identity: WWW, cwd })).toMatchObject({
      stage: 'chdir',
    });
  });

  test('at exec is one when the interpreter is missing', async () => {
    const path = executable(join(scratchFolder(), 'run'), '#!/no/such/interpreter\n');
    const failure = await failureOf({ argv: [path] });
    expect(failure).toMatchObject({ stage: 'exec', message: 'it ended with code 127' });
  });

  test.each<[string, Partial<LaunchRequest>]>([
    ['set OOM score', { oomScoreAdjust: 1001 }],
    ['set limits', { limits: [{ name: 'nosuchlimit', soft: 1, hard: 1 }] }],
    ['set identity', { identity: WWW, ambientCapabilities: ['no_such_capability'] }],
  ])('to %s says why, and the command is not run', async (stage, wish) => {
    const failure = await failureOf({ ...wish, argv: ['/bin/echo', 'ran'] });
    expect(failure).toMatchObject({ stage, output: '' });
    expect(failure.message).not.toBe('');
  });

  test('of the verification says what the process is instead', async () => {
    // The kernel sorts groups and keeps each as often as it is given, so this never comes true.
    const identity = { ...WWW, groups: [33, 5] };
    const failure = await failureOf({ argv: ['/bin/echo', 'ran'], identity });
    expect(failure).toMatchObject({ stage: 'set identity', output: '' });
    expect(failure.message).toContain('Groups:5 33;');
  });

  test.each<[string, Partial<LaunchRequest>]>([
    ['a number that is none', { nice: 1.5 }],
    ['the name of a limit that is shell script', { limits: [{ name: 'x;y', soft: 1, hard: 1 }] }],
  ])('for %s is thrown at once', (_, wish) => {
    expect(errorOf(() => begin({ argv: ['/bin/true'], ...wish })).code).toBe('launch_failed');
  });

  test('for a command without a path is thrown at once', () => {
    const error = errorOf(() => begin({ argv: ['true'] }));
    expect([error.code, error.stage]).toEqual(['launch_failed', 'exec']);
  });

  test('to make any process is thrown at once', () => {
    const shell = executable(join(scratchFolder(), 'dash'), '', 0o644);
    const error = errorOf(() => begin({ argv: ['/bin/true'] }, shell));
    expect([error.code, error.stage]).toEqual(['launch_failed', 'spawn']);
  });

  test('for want of a shell is thrown at once', () => {
    const error = errorOf(() => begin({ argv: ['/bin/true'] }, '/nonexistent/dash'));
    expect([error.code, error.stage]).toEqual(['launch_failed', 'prepare']);
  });

  test('is told from the end of a command whose stage file is gone', async () => {
    const stagePath = '/nonexistent/stage';
    const { report } = await run({ argv: ['/bin/sh', '-c', 'exit 3'], stagePath });
    expect(report).toEqual({ kind: 'exited', code: 3 });
  });
});
