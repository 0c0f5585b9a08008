import { expect, it } from 'vitest';
import { configKind } from '../../src/model/config-kind.ts';

it.each([
  ['nothing', null, 'service'],
  ['text', 'process', 'service'],
  ['a process', { process: { user: 'me' } }, 'service'],
  ['keys that both know', { logs: { max_total_size: '1g' }, global: {} }, 'service'],
  ['folders', { global: { config_directory: 'x' } }, 'master'],
  ['a service that may be off', { global: { enabled: true } }, 'service'],
  ['a socket', { unix_socket: { mode: '0660' } }, 'master'],
  ['a master config with a strange key', { cgroup: { name: 'x' }, process: {} }, 'master'],
  [
    'a service with a strange key',
    { journal: {}, process: { user: 'me', group: 'us' } },
    'service',
  ],
] as const)('%s is taken for what it mostly is', (_, raw, kind) => {
  expect(configKind(raw, { isServiceYml: false })).toBe(kind);
});

it('a service.yml is that of its folder unless it works elsewhere', () => {
  const here = { isServiceYml: true };
  expect(configKind(null, here)).toBe('auto-service');
  expect(configKind({ process: { user: 'me' } }, here)).toBe('auto-service');
  expect(configKind({ process: { working_directory: '/srv' } }, here)).toBe('service');
  expect(configKind({ cgroup: {}, unix_socket: {} }, here)).toBe('master');
});
