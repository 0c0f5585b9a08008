import { readdirSync, readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { type RequestOptions, request as requestSecurely } from 'node:https';
import { hashPassword } from '../../src/lib/password-hash.ts';
import { freePort } from './free-port.ts';
import { Instance } from './harness.ts';
import { waitFor } from './wait-for.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Asked {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Over TLS; without these options any certificate will do. */
  readonly tls?: RequestOptions;
}

export const PASSWORD = 'correct horse';
export const TOKEN = '0123456789abcdef-token';
let known: Promise<string> | null = null;

/** An instance with a web console, and somebody who asks it. */
export class ConsoleRig {
  readonly instance: Instance;
  readonly port: number;

  private constructor(instance: Instance, port: number) {
    this.instance = instance;
    this.port = port;
  }

  /** Running, with the user `ana`, unless `auth` says otherwise. `more` are keys of `web_console`. */
  static async start(
    more = '',
    { auth = true, tls = undefined as RequestOptions | undefined } = {},
  ): Promise<ConsoleRig> {
    known ??= hashPassword(PASSWORD);
    const port = await freePort();
    const users = auth ? `auth: {basic: {users: ["ana:${await known}"]}}, ` : '';
    const instance = new Instance(
      `web_console: {enabled: true, port: ${port}, metrics_token: ${TOKEN}, ${users}${more}}\n`,
    );
    await instance.start();
    const rig = new ConsoleRig(instance, port);
    await rig.answers(tls);
    return rig;
  }

  async answers(tls?: RequestOptions): Promise<void> {
    const asked = tls === undefined ? {} : { tls };
    const isThere = async () =>
      (await this.ask('/healthz', asked).catch(() => null))?.status === 200;
    await waitFor(isThere, { what: 'the console to answer', deadlineMs: 20_000 });
  }

  /** Sends exactly these headers beside Host, and what a body needs. */
  ask(path: string, { method = 'GET', headers = {}, body, tls }: Asked = {}): Promise<Answer> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const all = {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      'content-length': String(Buffer.byteLength(text)),
      ...headers,
    };
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.port, path, method, headers: all };
      const take = (response: IncomingMessage) => {
        let answer = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: answer }),
        );
      };
      const secure = { rejectUnauthorized: false, agent: false as const, ...options, ...tls };
      const sent = tls === undefined ? request(options, take) : requestSecurely(secure, take);
      sent.on('error', reject);
      sent.end(text);
    });
  }

  /** A JSON-RPC request. */
  rpc(method: string, params: unknown, headers: Readonly<Record<string, string>>): Promise<Answer> {
    const body = { jsonrpc: '2.0', id: 1, method, params };
    return this.ask('/processmaster/rpc', { method: 'POST', headers, body });
  }

  /** A session: the headers that its page sends. */
  async logIn(password = PASSWORD): Promise<Readonly<Record<string, string>>> {
    const body = { user: 'ana', password };
    const { headers } = await this.ask('/processmaster/login', { method: 'POST', body });
    const cookie = String(headers['set-cookie']).split(';')[0] ?? '';
    const session = await this.ask('/processmaster/session', { headers: { cookie } });
    const { csrf } = JSON.parse(session.body) as { readonly csrf: string };
    return { cookie, 'x-pm-csrf': csrf };
  }

  /** Of the console's process, once it is one. */
  async pid(): Promise<number> {
    return waitFor(
      () =>
        this.pids().find((pid) =>
          readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('processmaster: console'),
        ),
      { what: "the console's process", deadlineMs: 10_000 },
    );
  }

  /** Everything in the console's cgroup. */
  pids(): readonly number[] {
    const { cgroup } = this.instance;
    if (!readdirSync(cgroup).includes('console')) return [];
    const text = readFileSync(`${cgroup}/console/cgroup.procs`, 'utf8');
    return text.split('\n').filter(Boolean).map(Number);
  }
}

export function basic(user: string, password: string): Readonly<Record<string, string>> {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}
