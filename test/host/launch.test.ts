import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CgroupPath } from '../../src/host/cgroup.ts';
import { readProcess } from '../../src/host/process-info.ts';
import { cgroupMount } from '../e2e/kernel.ts';
import { waitFor } from '../e2e/wait-for.ts';
import { begin, GROUPS, ROOT, run, say, statusOf, WWW } from './launch-rig.ts';
import { executable, folderOf, scratchCgroup, scratchFolder } from './rig.ts';

const asWho = [
  ['root', ROOT],
  ['another user', WWW],
] as const;

describe.each(asWho)('a command of %s', (_, identity) => {
  test('is in its cgroup from its first instruction on', async () => {
    const cgroup: CgroupPath = scratchCgroup();
    const said = await say('cat /proc/self/cgroup', { cgroup, identity });
    expect(join(cgroupMount(), /^0::(.*)$/m.exec(said)?.[1] ?? '')).toBe(cgroup);
  });

  test('keeps the pid and the start time that were reported', async () => {
    const { pid, startTicks, exited } = begin({ argv: ['/bin/sleep', '1000'], identity });
    await waitFor(() => readProcess(pid)?.command === 'sleep', { what: 'the command' });
    expect(readProcess(pid)?.startTicks).toBe(startTicks);
    process.kill(pid, 'SIGTERM');
    expect(await exited).toEqual({ kind: 'signaled', signal: 'SIGTERM' });
  });

  test('leads a session of its own and has no terminal', async () => {
    const { output, pid } = await run({ argv: ['/bin/cat', '/proc/self/stat'], identity });
    const [, , pgrp, session, terminal] = output.slice(output.lastIndexOf(')') + 2).split(' ');
    expect([pgrp, session, terminal]).toEqual([String(pid), String(pid), '0']);
  });

  test('has three descriptors, and nothing to read', async () => {
    const said = await say('readlink /proc/self/fd/0; ls /proc/self/fd', { identity });
    const [stdin, ...fds] = said.split('\n');
    // The last one is that of `ls`; what these tests were started with is not our concern.
    const ours = fds.filter((fd) => !inheritedFromOutside().includes(fd));
    expect([stdin, ours]).toEqual(['/dev/null', ['0', '1', '2', '3']]);
  });

  test('has every signal at its default', async () => {
    const status = await statusOf({ identity });
    const none = '0000000000000000';
    expect(['SigBlk', 'SigIgn', 'SigCgt'].map(status)).toEqual([none, none, none]);
  });

  test('has umask, nice value, OOM score and limits as they were asked for', async () => {
    const said = await say('umask; nice; cat /proc/self/oom_score_adj; cat /proc/self/limits', {
      identity,
      umask: 0o027,
      nice: 7,
      oomScoreAdjust: 321,
      limits: [
        { name: 'nofile', soft: 100, hard: 200 },
        { name: 'core', soft: 0, hard: null },
      ],
    });
    expect(said.split('\n').slice(0, 3)).toEqual(['0027', '7', '321']);
    expect(said).toMatch(/^Max open files\s+100\s+200\s+files/m);
    expect(said).toMatch(/^Max core file size\s+0\s+unlimited\s+bytes/m);
  });

  test('is in its folder', async () => {
    const cwd = folderOf(scratchFolder(), "with ' $(blanks) in it");
    expect(await say('/bin/pwd -P', { identity, cwd })).toBe(cwd);
  });

  test('ends with its own code, whatever the launch itself would use', async () => {
    for (const code of [0, 1, 126, 127, 199]) {
      const { report } = await run({ argv: ['/bin/sh', '-c', `exit ${code}`], identity });
      expect(report).toEqual({ kind: 'exited', code });
    }
  });

  test('gets its arguments untouched', async () => {
    const args = ['', ' ', '-n', '--', '*', '$HOME', "it's", 'a\nb', '"', '\\', 'ä'];
    const { output } = await run({ argv: ['/usr/bin/printf', '<%s>', ...args], identity });
    expect(output).toBe(args.map((arg) => `<${arg}>`).join(''));
  });
});

describe('the identity', () => {
  test('is the user with exactly the given groups', async () => {
    const status = await statusOf({ identity: GROUPS });
    expect(status('Uid')).toBe('33 33 33 33');
    expect(status('Gid')).toBe('33 33 33 33');
    expect(status('Groups')).toBe('5 33 20000');
    expect(status('CapEff')).toBe('0000000000000000');
    expect(status('NoNewPrivs')).toBe('0');
  });

  test('can be without any supplementary group', async () => {
    const status = await statusOf({ identity: { ...WWW, groups: [] } });
    expect(status('Groups')).toBe('');
  });

  test('of root can have another group', async () => {
    const status = await statusOf({ identity: { ...ROOT, gid: 5, groups: [5] } });
    expect([status('Uid'), status('Gid'), status('Groups')]).toEqual(['0 0 0 0', '5 5 5 5', '5']);
  });

  test('can be barred from new privileges, root and others alike', async () => {
    for (const identity of [ROOT, WWW]) {
      const status = await statusOf({ identity, noNewPrivileges: true });
      expect(status('NoNewPrivs')).toBe('1');
    }
  });

  test('can have ambient capabilities, and then has no others', async () => {
    const wish = { identity: WWW, ambientCapabilities: ['net_bind_service', 'kill'] };
    const status = await statusOf(wish);
    const expected = ((1n << 10n) | (1n << 5n)).toString(16).padStart(16, '0');
    expect(['CapInh', 'CapPrm', 'CapEff', 'CapAmb'].map(status)).toEqual(Array(4).fill(expected));
  });
});

describe.each(['/bin/sh', '/bin/bash'])('by %s', (shell) => {
  const environment = {
    PATH: '/nowhere',
    EMPTY: '',
    SPACES: ' a  b\nc ',
    'a.b': 'dotted',
    'X-Y': '1',
    '-x': 'dash',
    key: 'k',
    value: 'v',
    PWD: '/declared',
    SHLVL: '77',
    _: 'underscore',
    UID: '5',
    IFS: 'x',
    LD_X: '1',
    __pm_key: 'ours',
  };

  test.each(asWho)(
    'exactly the declared environment reaches a command of %s',
    async (_, identity) => {
      for (const declared of [environment, { PATH: '/nowhere', key: 'k' }, {}]) {
        const wish = { argv: ['/usr/bin/env', '-0'] as const, identity, environment: declared };
        const { output } = await run(wish, shell);
        const got = output.split('\0').filter(Boolean).sort();
        expect(got).toEqual(
          Object.entries(declared)
            .map((entry) => entry.join('='))
            .sort(),
        );
      }
    },
  );

  test('a command with an equals sign in its path is no assignment', async () => {
    const folder = folderOf(scratchFolder(), 'a=b');
    const path = executable(join(folder, 'run'), '#!/bin/sh\necho "ran $#"\n');
    const { output } = await run({ argv: [path, 'x'], environment: { 'a.b': '1' } }, shell);
    expect(output).toBe('ran 1\n');
  });
});

test('a variable that commands the C library has no power over the part that is root', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'not-a-library.so'), 'x');
  const environment = { LD_PRELOAD: join(folder, 'not-a-library.so') };
  const { output } = await run({ argv: ['/bin/true'], identity: WWW, environment });
  // ld.so complains once for the command itself, and for none of sh, setpriv, sh, env before it.
  expect(output.match(/cannot be preloaded/g)?.length).toBe(1);
});

/** Descriptors without close-on-exec, which this process got from whoever started it. */
function inheritedFromOutside(): readonly string[] {
  return readdirSync('/proc/self/fd').filter((fd) => {
    if (Number(fd) < 3) return false;
    try {
      const flags = /^flags:\s*([0-7]+)$/m.exec(
        readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'),
      )?.[1];
      return (Number.parseInt(flags ?? '0', 8) & 0o2000000) === 0;
    } catch {
      return false;
    }
  });
}

test('no value of a variable is in a command line that anybody may read', async () => {
  const folder = scratchFolder();
  const [shell, seen] = [join(folder, 'dash'), join(folder, 'seen')];
  const record = `tr '\\0' ' ' </proc/$$/cmdline >>${seen}; exec /bin/sh "$@"`;
  writeFileSync(seen, '');
  chmodSync(seen, 0o666);
  writeFileSync(shell, `#!/bin/sh\n${record}\n`, { mode: 0o755 });
  const environment = { PLAIN: 'geheim', 'a.b': 'geheim', LD_DEBUG_OUTPUT: 'geheim' };
  const { output } = await run({ argv: ['/usr/bin/env'], environment, identity: WWW }, shell);

  expect(output.split('\n').filter(Boolean).toSorted()).toEqual(
    Object.keys(environment)
      .map((name) => `${name}=geheim`)
      .toSorted(),
  );
  expect(readFileSync(seen, 'utf8')).toContain('/usr/bin/env');
  expect(readFileSync(seen, 'utf8')).not.toContain('geheim');
});
