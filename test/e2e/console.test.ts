import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { basic, ConsoleRig, PASSWORD, TOKEN } from './console-rig.ts';
import { freePort } from './free-port.ts';
import { Instance } from './harness.ts';
import { waitFor } from './wait-for.ts';

const ANA = basic('ana', PASSWORD);

describe("the console's process", () => {
  it('has no rights, no secret that others can read, and nothing open but its sockets', async () => {
    const rig = await ConsoleRig.start();
    const console = await rig.pid();
    const status = readFileSync(`/proc/${console}/status`, 'utf8');
    const nobody = Number(
      /^nobody:[^:]*:(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'))?.[1] ?? Number.NaN,
    );
    expect(status).toMatch(new RegExp(`^Uid:\t${Array(4).fill(nobody).join('\t')}$`, 'm'));
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^CapPrm:\t0+$/m);
    for (const file of ['cmdline', 'environ']) {
      const text = readFileSync(`/proc/${console}/${file}`, 'utf8');
      expect(text).not.toContain('$2b$');
      expect(text).not.toContain(TOKEN);
    }
    const open = readdirSync(`/proc/${console}/fd`).flatMap((fd) => {
      const target = readlinkSync(`/proc/${console}/fd/${fd}`);
      return target.startsWith('/') && target !== '/dev/null' ? [target] : [];
    });
    expect(open.filter((target) => target.includes(rig.instance.root))).toEqual([]);
  });

  it('is started again when it dies; neither services nor the daemon notice', async () => {
    const rig = await ConsoleRig.start();
    rig.instance.defineScript('web', 'exec sleep 1000');
    const pids = await rig.instance.running('web', 1);
    const before = await rig.pid();
    process.kill(before, 'SIGKILL');
    const isBack = async () => (await rig.pid()) !== before;
    await waitFor(isBack, { what: 'another console', deadlineMs: 20_000 });
    await rig.answers();
    const { stdout } = await rig.instance.pmctl('events', '-n', '20');
    expect(stdout).toMatch(/console\.ended .*killed by SIGKILL; it is started again in 1 s/);
    expect((await rig.instance.status('web'))?.pids).toEqual(pids);
  });

  it('ends with its daemon, however that ends, and comes with the next one', async () => {
    const rig = await ConsoleRig.start();
    const before = await rig.pid();
    await rig.instance.endDaemon('SIGKILL');
    const isGone = () => !readdirSync('/proc').includes(String(before));
    await waitFor(isGone, { what: 'the end of the console', deadlineMs: 10_000 });
    await rig.instance.start();
    await rig.answers();
    expect((await rig.instance.pmctl('daemon', 'restart')).code).toBe(0);
    await rig.answers();
    const last = await rig.pid();
    expect(await rig.instance.endDaemon('SIGTERM')).toBe(0);
    expect(readdirSync('/proc')).not.toContain(String(last));
  });

  it('that cannot listen says why, again and again until it can', async () => {
    const port = await freePort();
    const squatter = createServer().listen(port, '127.0.0.1');
    await once(squatter, 'listening');
    onTestFinished(() => void squatter.close());
    const instance = new Instance(`web_console: {enabled: true, port: ${port}}\n`);
    await instance.start();
    const warns = async () =>
      (await instance.pmctl('status')).stdout.includes(
        `the web console does not run: exit code 1: cannot listen on 127.0.0.1, port ${port}: Address already in use`,
      );
    await waitFor(warns, { what: 'the warning', deadlineMs: 20_000 });
    squatter.close();
    const answers = () =>
      fetch(`http://127.0.0.1:${port}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await waitFor(answers, { what: 'the console to answer', deadlineMs: 40_000 });
    await waitFor(async () => !(await warns()), { what: 'no warning', deadlineMs: 10_000 });
  }, 90_000);
});

describe('who is let in', () => {
  it('acts in their own name, which the journal keeps', async () => {
    const rig = await ConsoleRig.start();
    rig.instance.defineScript('web', 'exec sleep 1000');
    await rig.instance.running('web', 1);
    const answer = await rig.rpc('services.stop', { names: ['web'] }, ANA);
    expect(JSON.parse(answer.body)).toMatchObject({ id: 1, result: { services: [{ ok: true }] } });
    await rig.instance.phase('web', 'STOPPED');
    const { stdout } = await rig.instance.pmctl('events', 'web');
    expect(stdout).toMatch(/operator\.stop +ana +stop requested by ana/);
    expect((await rig.rpc('services.nothing', {}, ANA)).body).toContain('there is no method');
    // Only the console itself says who came in.
    const forged = { kind: 'login', user: 'x', address: 'y' };
    expect((await rig.rpc('console.note', forged, ANA)).body).toContain('there is no method');
  });

  it('without a name is nobody: nothing but health is told', async () => {
    const rig = await ConsoleRig.start();
    for (const headers of [{}, basic('ana', 'wrong'), basic('eve', PASSWORD), { cookie: 'pm=x' }]) {
      expect((await rig.rpc('status', {}, headers)).status).toBe(401);
    }
    expect((await rig.ask('/metrics')).status).toBe(401);
    expect((await rig.ask('/healthz')).body).toBe('{"ok":true}');
    // No dialog of the browser's, whose password nothing can take back.
    expect((await rig.ask('/metrics')).headers['www-authenticate']).toBeUndefined();
  });

  it('with the token may read metrics, and nothing else', async () => {
    const rig = await ConsoleRig.start();
    const token = { authorization: `Bearer ${TOKEN}` };
    const metrics = await rig.ask('/metrics', { headers: token });
    expect(metrics.status).toBe(200);
    expect(metrics.headers['content-type']).toContain('application/openmetrics-text');
    expect(metrics.body).toMatch(/^processmaster_build_info\{.*\n(.*\n)*# EOF\n$/m);
    expect((await rig.rpc('status', {}, token)).status).toBe(401);
    const wrong = { authorization: `Bearer ${TOKEN}x` };
    expect((await rig.ask('/metrics', { headers: wrong })).status).toBe(401);
    expect((await rig.ask('/metrics', { headers: ANA })).status).toBe(200);
  });

  it('has a session until they log out; its changes need what only our page can read', async () => {
    const rig = await ConsoleRig.start();
    const login = await rig.ask('/processmaster/login', {
      method: 'POST',
      body: { user: 'ana', password: PASSWORD },
    });
    expect(login.status).toBe(200);
    const [cookie = ''] = login.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/^pm=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    const session = await rig.logIn();
    expect((await rig.rpc('status', {}, session)).status).toBe(200);
    const without = { cookie: session.cookie ?? '' };
    expect((await rig.rpc('status', {}, without)).status).toBe(403);
    expect((await rig.rpc('status', {}, { ...without, 'x-pm-csrf': 'x' })).status).toBe(403);
    const logout = await rig.ask('/processmaster/logout', { method: 'POST', headers: session });
    expect([logout.status, logout.headers['clear-site-data']]).toEqual([200, '"cache", "storage"']);
    expect((await rig.rpc('status', {}, session)).status).toBe(401);
    const { stdout } = await rig.instance.pmctl('events');
    expect(stdout).toMatch(/console\.login +ana +ana from 127\.0\.0\.1/);
    expect(stdout).toMatch(/console\.logout +ana +ana from 127\.0\.0\.1/);
  });

  it('guesses slower and slower, whether there is such a user or not', async () => {
    const rig = await ConsoleRig.start();
    const guess = (user: string) =>
      rig.ask('/processmaster/login', { method: 'POST', body: { user, password: 'guess' } });
    for (let n = 0; n < 5; n += 1) expect((await guess(n % 2 ? 'ana' : 'eve')).status).toBe(401);
    const refused = await guess('eve');
    expect([refused.status, Number(refused.headers['retry-after'])]).toEqual([429, 1]);
    expect(refused.body).toContain('too many wrong passwords; try again in 1 s');
    const { stdout } = await rig.instance.pmctl('events');
    expect(stdout.match(/console\.login-failed +console +(ana|eve) from 127/g)).toHaveLength(5);
    // Whoever waits, and knows it, is let in.
    const isIn = async () => (await rig.rpc('status', {}, ANA)).status === 200;
    await waitFor(isIn, { what: 'the wait to be over', deadlineMs: 20_000 });
  });
});

describe('what pages of others can do', () => {
  it.each([
    [{ host: 'evil.example' }, 421],
    [{ host: 'evil.example:80', ...ANA }, 421],
    [{ host: '127.0.0.1.evil.example', ...ANA }, 421],
    [{ origin: 'http://evil.example', ...ANA }, 403],
    [{ origin: 'null', ...ANA }, 403],
    [{ 'sec-fetch-site': 'cross-site', ...ANA }, 403],
    [{ 'sec-fetch-site': 'same-site', ...ANA }, 403],
  ])('nothing: %j', async (headers, status) => {
    const rig = await ConsoleRig.start();
    const answer = await rig.rpc('daemon.version', {}, headers);
    expect(answer.status).toBe(status);
    expect(answer.body).not.toContain('version');
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    const own = { origin: `http://127.0.0.1:${rig.port}`, 'sec-fetch-site': 'same-origin', ...ANA };
    const ok = await rig.rpc('daemon.version', {}, { host: `127.0.0.1:${rig.port}`, ...own });
    expect(ok.status).toBe(200);
  });

  it('nothing is shown in frames of others, kept by anybody, or taken for what it is not', async () => {
    const rig = await ConsoleRig.start();
    for (const path of ['/healthz', '/processmaster/session', '/nothing']) {
      const { headers } = await rig.ask(path);
      expect(headers['content-security-policy']).toMatch(
        /default-src 'none'.*frame-ancestors 'none'/,
      );
      expect(headers['content-security-policy']).not.toContain('unsafe');
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      });
    }
  });
});

describe('where it listens', () => {
  it.each([
    ['bind: 0.0.0.0', { auth: true }, 'without TLS everybody on the way could read passwords'],
    [
      'bind: 0.0.0.0, allow_plaintext_remote: true',
      { auth: false },
      'admin has the password of the manual',
    ],
  ])('on the loopback address alone with %s %j', async (keys, options, why) => {
    const rig = await ConsoleRig.start(keys, options);
    expect(listeners(rig.port)).toEqual(['0100007F']);
    const status = await rig.instance.pmctl('status');
    expect(status.stdout).toContain('warning: the web console listens on 127.0.0.1 instead of');
    expect(status.stdout).toContain(why);
    const { stdout } = await rig.instance.pmctl('events');
    expect(stdout).toContain('console.warning');
  });

  it('where it is told to, when nobody can listen in or guess', async () => {
    const rig = await ConsoleRig.start('bind: 0.0.0.0, allow_plaintext_remote: true');
    expect(listeners(rig.port)).toEqual(['00000000']);
  });

  it('nowhere unless it is enabled', async () => {
    const port = await freePort();
    const instance = new Instance(`web_console: {enabled: false, port: ${port}}\n`);
    await instance.start();
    expect(listeners(port)).toEqual([]);
    expect(readdirSync(instance.cgroup)).not.toContain('console');
  });
});

/** The addresses that a port is listened on, as proc_net_tcp(5) has them. */
function listeners(port: number): readonly string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return [
    ...readFileSync('/proc/net/tcp', 'utf8').matchAll(
      /^ *\d+: ([0-9A-F]{8}):([0-9A-F]{4}) \S+ 0A /gm,
    ),
  ]
    .filter(([, , found]) => found === hex)
    .map(([, address = '']) => address);
}
