import { hostname } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../host/run-command.ts';
import { readBounded } from '../host/safe-open.ts';
import { writeAtomically } from '../host/write-atomically.ts';
import { ProcessmasterError } from '../lib/errors.ts';
import type { ConsoleTls } from '../model/console-config.ts';
import type { TlsMaterial } from '../web/server/settings.ts';

const MAX_PEM_BYTES = 1_048_576;
/** What browsers take of a certificate that is not signed by anybody they know, and no longer. */
const DAYS = 397;
const RENEWED_BEFORE_MS = 30 * 86_400_000;
const OPENSSL_MS = 30_000;
const FILE = 'console-tls.pem';

/**
 * What the console encrypts with: the given files, or a certificate that is made for it, kept in the state
 * directory (key and certificate in one file, for root alone) and made anew before it is over.
 * @throws ProcessmasterError when a file cannot be read, or openssl(1) cannot make one
 */
export async function loadTls(
  tls: ConsoleTls,
  { stateDirectory, nowMs }: { readonly stateDirectory: string; readonly nowMs: number },
): Promise<TlsMaterial> {
  const read = (path: string) => readBounded(path, MAX_PEM_BYTES).toString('utf8');
  const ca = tls.clientCa === null ? null : read(tls.clientCa);
  if (tls.files !== null) return { cert: read(tls.files.cert), key: read(tls.files.key), ca };
  const names = [
    ...new Set(['localhost', hostname().toLowerCase(), tls.clientHost ?? 'localhost']),
  ];
  const path = join(stateDirectory, FILE);
  const pem = (await keptPem(path, names, nowMs)) ?? (await makePem(names));
  const keep = (content: Buffer | null) => (content?.toString() === pem ? null : Buffer.from(pem));
  writeAtomically(path, keep, { mode: 0o600, maxBytes: MAX_PEM_BYTES });
  return { cert: pem, key: pem, ca };
}

/** The certificate that was made before, if it is for these names and not nearly over. */
async function keptPem(path: string, names: readonly string[], nowMs: number) {
  const { X509Certificate } = await import('node:crypto');
  try {
    const pem = readBounded(path, MAX_PEM_BYTES).toString('utf8');
    const certificate = new X509Certificate(pem);
    const isFresh = Date.parse(certificate.validTo) - nowMs > RENEWED_BEFORE_MS;
    return isFresh && names.every((name) => certificate.checkHost(name)) ? pem : null;
  } catch {
    // There is none, or none that is one: another is made.
    return null;
  }
}

async function makePem(names: readonly string[]): Promise<string> {
  const alternatives = [...names.map((name) => `DNS:${name}`), 'IP:127.0.0.1', 'IP:::1'];
  const { code, stdout, stderr } = await runCommand(
    [
      'openssl',
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      String(DAYS),
      '-subj',
      '/CN=processmaster',
      '-addext',
      `subjectAltName=${alternatives.join(',')}`,
      '-keyout',
      '-',
      '-out',
      '-',
    ],
    { timeoutMs: OPENSSL_MS },
  );
  if (code === 0 && stdout.includes('PRIVATE KEY') && stdout.includes('CERTIFICATE')) return stdout;
  const why = stderr.trim().split('\n').at(-1) ?? '';
  const message = `cannot make a certificate: ${why} (install openssl, or set web_console.tls.server_cert_pem and server_key_pem)`;
  throw new ProcessmasterError('io', message);
}
