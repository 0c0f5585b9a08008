import { expect, it } from 'vitest';
import { consoleConfig, exposureOf } from '../../src/model/console-config.ts';

const HASH = `$2b$12$${'a'.repeat(53)}`;
const BUILT_IN = '$2a$10$jqNWtAzhWEVlPnvJwyI6g.Nwb8YPU5ypCED9lBEhahUSs13ac1MPe';

type File = Exclude<Parameters<typeof consoleConfig>[0], undefined>;

function config(file: Partial<File> = {}, users: readonly string[] = [`ana:${HASH}`]) {
  const made = consoleConfig(
    { enabled: true, auth: { basic: { users } }, ...file } as File,
    (path) => `/etc/pm/${path}`,
  );
  if (made === null) throw new Error('there is one');
  return made;
}

it('there is none unless it is enabled', () => {
  expect(consoleConfig(undefined, String)).toBeNull();
  expect(consoleConfig({ enabled: false }, String)).toBeNull();
});

it('its defaults are those of the manual', () => {
  expect(consoleConfig({ enabled: true }, String)).toEqual({
    bind: null,
    port: 9_001,
    users: [{ name: 'admin', hash: BUILT_IN }],
    user: 'nobody',
    memoryMaxBytes: 256 * 1_048_576,
    basePath: '/processmaster/',
    allowPlaintextRemote: false,
    tls: null,
    metricsToken: null,
  });
});

it.each([
  ['/', '/'],
  ['', '/'],
  ['pm', '/pm/'],
  ['/pm', '/pm/'],
  ['//pm/x//', '/pm/x/'],
])('the base path %j is %j', (base_path, expected) => {
  expect(config({ base_path }).basePath).toBe(expected);
});

it.each([
  [{ bind: '127.0.0.1' }, '127.0.0.1', null],
  [{ bind: '127.0.0.5' }, '127.0.0.5', null],
  [{ bind: '::1' }, '::1', null],
  [{ bind: 'localhost' }, 'localhost', null],
  [{}, '127.0.0.1', null],
  [{ bind: '0.0.0.0' }, '127.0.0.1', 'without TLS'],
  [{ bind: '192.0.2.1' }, '127.0.0.1', 'without TLS'],
  [{ bind: '::' }, '::1', 'without TLS'],
  [{ bind: '1270.0.0.1' }, '127.0.0.1', 'without TLS'],
  [{ bind: '127.0.0.1.example' }, '127.0.0.1', 'without TLS'],
  [{ bind: '0.0.0.0', allow_plaintext_remote: true }, '0.0.0.0', null],
  [{ allow_plaintext_remote: true }, '0.0.0.0', null],
  [{ bind: '0.0.0.0', tls: { enabled: true } }, '0.0.0.0', null],
  [{ bind: '0.0.0.0', tls: { enabled: false } }, '127.0.0.1', 'without TLS'],
] as const)('with %j it listens on %s', (file, bind, reason) => {
  const exposure = exposureOf(config(file));
  expect(exposure.bind).toBe(bind);
  if (reason === null) expect(exposure.reason).toBeNull();
  else expect(exposure.reason).toContain(reason);
});

it('with the password that everybody knows it listens on the loopback address, whatever else is allowed', () => {
  const users = [`ana:${HASH}`, `root:${BUILT_IN}`];
  const exposure = exposureOf(config({ bind: '0.0.0.0', allow_plaintext_remote: true }, users));
  expect(exposure.bind).toBe('127.0.0.1');
  expect(exposure.reason).toContain('the password of the manual');
});

it('its TLS takes files, or a certificate that is made; clients need one where it says so', () => {
  const files = { server_cert_pem: 'cert.pem', server_key_pem: 'key.pem', ca_pem: 'ca.pem' };
  expect(config({ tls: { enabled: true, ...files, client_host: 'PM.example' } }).tls).toEqual({
    files: { cert: '/etc/pm/cert.pem', key: '/etc/pm/key.pem' },
    clientCa: null,
    clientHost: 'pm.example',
  });
  expect(config({ tls: { enabled: true, ...files, mtls: true } }).tls?.clientCa).toBe(
    '/etc/pm/ca.pem',
  );
  expect(config({ tls: { enabled: true } }).tls).toEqual({
    files: null,
    clientCa: null,
    clientHost: null,
  });
});
