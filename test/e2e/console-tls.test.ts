import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { basic, ConsoleRig, PASSWORD } from './console-rig.ts';

const ANA = basic('ana', PASSWORD);

function keptPem(rig: ConsoleRig): string {
  return join(rig.instance.root, 'state/console-tls.pem');
}

/** A CA, and a certificate of its for a name. */
function authority() {
  const folder = mkdtempSync(join(tmpdir(), 'pm-ca-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-days',
    '2',
    '-subj',
    '/CN=ca',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  );
  return {
    folder,
    sign: (name: string) => {
      openssl(
        'req',
        ...key,
        '-subj',
        `/CN=${name}`,
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.csr`,
      );
      writeFileSync(join(folder, 'ext'), `subjectAltName=DNS:${name}\n`);
      const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'ext'];
      openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-days', '2', '-out', `${name}.pem`);
      return {
        key: readFileSync(join(folder, `${name}.key`)),
        cert: readFileSync(join(folder, `${name}.pem`)),
      };
    },
  };
}

describe('with a certificate that is made for it', () => {
  it('is encrypted everywhere it is told to listen, and nothing else', async () => {
    const rig = await ConsoleRig.start(
      'bind: 0.0.0.0, tls: {enabled: true, client_host: pm.example}',
      {
        tls: {},
      },
    );
    const pem = readFileSync(keptPem(rig), 'utf8');
    expect(statSync(keptPem(rig)).mode & 0o777).toBe(0o600);
    const certificate = new X509Certificate(pem);
    for (const name of ['localhost', hostname(), 'pm.example']) {
      expect(certificate.checkHost(name)).toBe(name.toLowerCase());
    }
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    const days = (Date.parse(certificate.validTo) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(395);
    expect(days).toBeLessThan(398);
    // Its own certificate is what it shows; the name that it is for is one of its names.
    const tls = { ca: pem, rejectUnauthorized: true, servername: 'pm.example' };
    const answer = await rig.ask('/healthz', { tls, headers: { host: 'pm.example' } });
    expect(answer.status).toBe(200);
    expect(answer.headers['strict-transport-security']).toBe('max-age=31536000');
    await expect(rig.ask('/healthz')).rejects.toThrow();
    const evil = await rig.ask('/healthz', { tls: {}, headers: { host: 'evil.example' } });
    expect(evil.status).toBe(421);
  });

  it('gives sessions a cookie that no plain connection carries', async () => {
    const rig = await ConsoleRig.start('tls: {enabled: true}', { tls: {} });
    const body = { user: 'ana', password: PASSWORD };
    const login = await rig.ask('/processmaster/login', { method: 'POST', body, tls: {} });
    expect(login.headers['set-cookie']?.[0]).toMatch(
      /^__Host-pm=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
    const [cookie = ''] = String(login.headers['set-cookie']).split(';');
    const session = await rig.ask('/processmaster/session', { headers: { cookie }, tls: {} });
    expect(JSON.parse(session.body)).toMatchObject({ user: 'ana' });
  });

  it('keeps it over restarts, and has another one when it is of no use', async () => {
    const rig = await ConsoleRig.start('tls: {enabled: true}', { tls: {} });
    const pem = readFileSync(keptPem(rig), 'utf8');
    await rig.instance.endDaemon('SIGTERM');
    await rig.instance.start();
    await rig.answers({});
    expect(readFileSync(keptPem(rig), 'utf8')).toBe(pem);
    await rig.instance.endDaemon('SIGTERM');
    writeFileSync(keptPem(rig), 'nothing of use');
    await rig.instance.start();
    await rig.answers({});
    const other = readFileSync(keptPem(rig), 'utf8');
    expect(other).not.toBe(pem);
    expect(new X509Certificate(other).checkHost('localhost')).toBe('localhost');
    expect(statSync(keptPem(rig)).mode & 0o777).toBe(0o600);
  });

  it('speaks TLS 1.2 and later, nothing older', async () => {
    const rig = await ConsoleRig.start('tls: {enabled: true}', { tls: {} });
    const hello = (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') =>
      new Promise<string>((resolve) => {
        const versions = { minVersion: version, maxVersion: version } as const;
        const options = {
          host: '127.0.0.1',
          port: rig.port,
          rejectUnauthorized: false,
          ...versions,
        };
        const socket = connect({ ...options, ciphers: 'DEFAULT@SECLEVEL=0' }, () => {
          resolve(socket.getProtocol() ?? 'none');
          socket.destroy();
        });
        socket.on('error', () => resolve('refused'));
      });
    expect(await hello('TLSv1.3')).toBe('TLSv1.3');
    expect(await hello('TLSv1.2')).toBe('TLSv1.2');
    expect(await hello('TLSv1.1')).toBe('refused');
  });
});

describe('with certificates of somebody else', () => {
  it('shows the one that it was given, and lets nobody in without one of its CA', async () => {
    const ca = authority();
    const client = ca.sign('client');
    ca.sign('pm.example');
    const files = `server_cert_pem: ${ca.folder}/pm.example.pem, server_key_pem: ${ca.folder}/pm.example.key`;
    const rig = await ConsoleRig.start(
      `bind: 0.0.0.0, tls: {enabled: true, ${files}, ca_pem: ${ca.folder}/ca.pem, mtls: true, client_host: pm.example}`,
      { tls: client },
    );
    const trusted = {
      ca: readFileSync(join(ca.folder, 'ca.pem')),
      rejectUnauthorized: true,
      servername: 'pm.example',
    };
    const headers = { host: 'pm.example', ...ANA };
    const tls = { ...client, ...trusted };
    expect((await rig.ask('/metrics', { headers, tls })).status).toBe(200);
    // A certificate is no user.
    expect((await rig.ask('/metrics', { headers: { host: 'pm.example' }, tls })).status).toBe(401);
    await expect(rig.ask('/metrics', { headers, tls: trusted })).rejects.toThrow();
    const stranger = authority().sign('client');
    await expect(
      rig.ask('/metrics', { headers, tls: { ...trusted, ...stranger } }),
    ).rejects.toThrow();
  });

  it('that are not there it does not run, and says which', async () => {
    const rig = await ConsoleRig.start('tls: {enabled: true}', { tls: {} });
    const config = readFileSync(rig.instance.configFile, 'utf8');
    const missing = join(rig.instance.root, 'missing');
    mkdirSync(missing);
    writeFileSync(
      rig.instance.configFile,
      config.replace(
        'tls: {enabled: true',
        `tls: {enabled: true, server_cert_pem: ${missing}/cert.pem, server_key_pem: ${missing}/key.pem`,
      ),
    );
    expect((await rig.instance.pmctl('daemon', 'restart')).code).toBe(0);
    const { stdout } = await rig.instance.pmctl('status');
    expect(stdout).toContain(`the web console does not run: cannot read '${missing}/cert.pem'`);
  });
});
