import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDaemonConfig } from '../../src/sources/daemon-config-file.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures');

describe('the master config', () => {
  it('has defaults that follow from the name of its cgroup', () => {
    expect(readDaemonConfig(join(FIXTURES, 'accepted-master-minimal.yaml'))).toMatchObject({
      kind: 'valid',
      config: {
        cgroup: { root: null, name: 'processmaster', allowSubtreeControl: true },
        socket: {
          path: '/run/processmaster/processmaster.sock',
          owner: null,
          group: null,
          mode: 0o660,
        },
        configDirectory: join(FIXTURES, 'config.d'),
        autoServiceDirectory: null,
        apply: 'auto',
        defaultUser: null,
        defaultGroup: null,
        runtimeDirectory: '/run/processmaster',
        stateDirectory: '/var/lib/processmaster',
        journal: { maxAgeMs: 30 * 86_400_000, maxBytes: 64 * 1024 * 1024 },
      },
    });
  });

  it('is taken over key by key, paths resolved against its folder', () => {
    expect(readDaemonConfig(join(FIXTURES, 'accepted-master-everything.yaml'))).toMatchObject({
      kind: 'valid',
      config: {
        cgroup: { root: 'self', name: 'pm1', allowSubtreeControl: false },
        socket: { path: join(FIXTURES, 'run/pm.sock'), owner: '0', group: 'adm', mode: 0o660 },
        configDirectory: null,
        autoServiceDirectory: join(FIXTURES, 'auto'),
        apply: 'manual',
        runtimeDirectory: '/run/other',
        stateDirectory: join(FIXTURES, 'state'),
        journal: { maxAgeMs: 7 * 86_400_000, maxBytes: 10_000_000 },
      },
    });
  });

  it('that is not there says so', () => {
    expect(readDaemonConfig(join(FIXTURES, 'no-such-file.yaml'))).toMatchObject({
      kind: 'invalid',
      problems: [{ line: null, message: expect.stringContaining('No such file') }],
    });
  });
});
