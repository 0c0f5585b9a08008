import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { resolveIdentity } from '../../src/host/identity.ts';
import { rejectionOf } from './rig.ts';

/** `id`'s own word for it. */
function idsOf(user: string, flag: '-u' | '-g' | '-G'): number[] {
  const ids = execFileSync('id', [flag, user], { encoding: 'utf8' }).trim().split(' ').map(Number);
  return ids.sort((a, b) => a - b);
}

function groupId(name: string): number {
  const line = new RegExp(`^${name}:[^:]*:(\\d+):`, 'm').exec(readFileSync('/etc/group', 'utf8'));
  return Number(line?.[1]);
}

describe('a user', () => {
  test('by default is root with the groups of root', async () => {
    const identity = await resolveIdentity(null, null);
    expect(identity).toMatchObject({ userName: 'root', uid: 0, gid: 0, home: '/root' });
    expect(identity.groups).toEqual(idsOf('root', '-G'));
  });

  test('has its primary group, its supplementary groups, home and shell', async () => {
    const name = `pmtest${process.pid}`;
    execFileSync('useradd', ['-M', '-d', '/srv/x', '-s', '/bin/bash', '-G', 'games,audio', name]);
    onTestFinished(() => void execFileSync('userdel', [name]));
    const identity = await resolveIdentity(name, null);
    expect(identity).toMatchObject({ userName: name, home: '/srv/x', shell: '/bin/bash' });
    expect([identity.uid]).toEqual(idsOf(name, '-u'));
    expect([identity.gid]).toEqual(idsOf(name, '-g'));
    expect(identity.groups).toEqual(idsOf(name, '-G'));
    expect(identity.groups.length).toBe(3);
  });

  test('can be given by its number', async () => {
    const named = await resolveIdentity('www-data', null);
    expect(await resolveIdentity(String(named.uid), null)).toEqual(named);
  });

  test('without an entry needs a group, and has no other', async () => {
    const identity = await resolveIdentity('54321', '12345');
    expect(identity).toMatchObject({ userName: '54321', uid: 54321, gid: 12345, groups: [12345] });
    const error = await rejectionOf(resolveIdentity('54321', null));
    expect(error.message).toContain('set process.group');
  });

  test.each(['nobody-of-that-name', '-x', 'a:b', '', '4294967295', ' root'])(
    'named %j is unknown',
    async (name) => {
      const error = await rejectionOf(resolveIdentity(name, null));
      expect([error.code, error.stage]).toEqual(['launch_failed', 'resolve user']);
      expect(error.message).toContain(`unknown user '${name}'`);
    },
  );
});

describe('a group', () => {
  test('takes the place of the primary one beside the groups of the user', async () => {
    const games = groupId('games');
    const identity = await resolveIdentity('www-data', 'games');
    expect(identity.gid).toBe(games);
    expect(identity.groups).toContain(games);
    expect(identity.groups).toEqual(expect.arrayContaining(idsOf('www-data', '-G')));
  });

  test('alone applies to root', async () => {
    expect(await resolveIdentity(null, 'games')).toMatchObject({ uid: 0, gid: groupId('games') });
  });

  test('can be a number that no group has', async () => {
    expect(await resolveIdentity('www-data', '12345')).toMatchObject({ gid: 12345 });
  });

  test('that is unknown is an error', async () => {
    const error = await rejectionOf(resolveIdentity('www-data', 'no-such-group'));
    expect([error.code, error.stage]).toEqual(['launch_failed', 'resolve user']);
    expect(error.message).toContain(`unknown group 'no-such-group'`);
  });
});
