import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { buildInfo } from '../../src/lib/build-info.ts';
import { ProcessmasterError } from '../../src/lib/errors.ts';
import { BUILD, startServer } from '../rpc/rpc-rig.ts';
import { crashed, row } from './rows.ts';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function pmctl(socket: string, ...args: string[]): Promise<Ended> {
  const env = { PATH: process.env.PATH, PMCTL_SOCK: socket };
  const program = new URL('../../src/cli/pmctl.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, ...args], { env, timeout: 20_000 });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code: typeof code === 'number' ? code : null, stdout, stderr };
}

/** A server of the same build as the sources that pmctl runs from. */
const coBuilt = (handlers: Parameters<typeof startServer>[0] = {}) =>
  startServer(handlers, {}, buildInfo());

test('status asks for what a table needs and prints one', async () => {
  const asked: unknown[] = [];
  const { path } = await coBuilt({
    'status.brief': (params) => {
      asked.push(params);
      return { services: [crashed, row()], warnings: ['careful'] };
    },
  });
  const { code, stdout, stderr } = await pmctl(path);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^warning: careful\nNAME {5}PHASE .*\ncrasher {2}BACKOFF/);
  expect(asked).toEqual([{ names: [] }]);
});

test('status of one name shows its detail, as JSON it is an array of rows', async () => {
  const asked: unknown[] = [];
  const { path } = await coBuilt({
    status: (params) => {
      asked.push(params);
      return { services: [row()], warnings: ['careful'] };
    },
  });
  expect((await pmctl(path, 'status', 'web')).stdout).toContain('definition   /etc/pm/config.d/');
  const { stdout, stderr } = await pmctl(path, 'status', 'w*', '-o', 'json');
  expect(JSON.parse(stdout)).toEqual([row()]);
  expect(stderr).toBe('pmctl: warning: careful\n');
  expect(asked).toEqual([
    { names: ['web'], detail: true },
    { names: ['w*'], detail: true },
  ]);
});

test('names wider than their characters bring their widths along', async () => {
  const wide = row({ conditions: [{ type: 'Failed', message: '日本語' }] });
  const { path } = await coBuilt({ 'status.brief': () => ({ services: [wide], warnings: [] }) });
  expect((await pmctl(path)).stdout).toContain('    failed: 日本語\n');
});

test('start and stop pass their options on, and the outcome decides the exit code', async () => {
  const asked: unknown[] = [];
  const outcome = { name: 'web', stop: null };
  const { path } = await coBuilt({
    'services.start': (params) => {
      asked.push(params);
      return { services: [{ ...outcome, ok: false, outcome: 'failed', message: 'exit code 3' }] };
    },
    'services.stop': (params) => {
      asked.push(params);
      return { services: [{ ...outcome, ok: true, outcome: 'done', message: 'stopped' }] };
    },
    'services.restart': () => ({
      services: [{ ...outcome, ok: false, outcome: 'timeout', message: 'not done after 1 s' }],
    }),
  });
  const started = await pmctl(path, 'start', 'web', '--force', '--no-wait');
  expect(started).toEqual({
    code: 1,
    stdout: '',
    stderr: "pmctl: cannot start 'web': exit code 3\n  see: pmctl status web\n",
  });
  const stopped = await pmctl(path, 'stop', 'web', 'db', '--timeout', '90s');
  expect(stopped).toEqual({ code: 0, stdout: 'web: stopped\n', stderr: '' });
  expect((await pmctl(path, 'restart', 'all')).code).toBe(7);
  expect(asked).toEqual([
    { names: ['web'], force: true, wait: false, timeout_ms: null },
    { names: ['web', 'db'], wait: true, timeout_ms: 90_000 },
  ]);
});

test('update, events, logs and the versions print what they are told', async () => {
  const { path } = await coBuilt({
    'sources.update': ({ prune }) => ({
      accepted: prune ? ['web'] : [],
      changed: [],
      removed: [],
      problems: [],
      conflicts: [{ name: 'twin', files: ['/a', '/b'] }],
      brakes: [],
      contents: [],
    }),
    'logs.tail': ({ name, lines }) => ({
      files: [
        {
          path: '/l',
          lines: name === 'web' ? [`${lines}`] : [],
          truncated: false,
          ...(name === 'hinted' ? { problem: 'Permission denied' } : {}),
        },
      ],
    }),
  });
  const update = await pmctl(path, 'update', '--prune');
  expect(update).toMatchObject({ code: 1, stdout: 'new: web\n' });
  expect(update.stderr).toContain("'twin' is defined more than once: /a, /b");
  expect((await pmctl(path, 'events', 'web')).stdout).toBe('no events\n');
  expect(JSON.parse((await pmctl(path, 'events', '-o', 'json')).stdout)).toEqual([]);
  expect((await pmctl(path, 'logs', 'web', '-n', '20')).stdout).toBe('20\n');
  expect(await pmctl(path, 'logs', 'hinted')).toMatchObject({
    code: 1,
    stderr: "pmctl: cannot show '/l': Permission denied\n",
  });
  expect((await pmctl(path, 'logs', 'quiet')).stderr).toBe('pmctl: nothing yet in /l\n');
  expect((await pmctl(path, 'version')).stdout).toMatch(/^pmctl \d+\.\d+\.\d+ \(built on /);
  const { stdout } = await pmctl(path, 'server-version', '-o', 'json');
  expect(JSON.parse(stdout)).toMatchObject({ version: '1.2.3', pid: 1, socket: '/run/pm.sock' });
});

test('errors go to stderr with an exit code of their kind', async () => {
  const { path } = await coBuilt({
    status: () => {
      throw new ProcessmasterError('not_found', "cannot find service 'x'");
    },
  });
  expect(await pmctl(path, 'status', 'x')).toEqual({
    code: 4,
    stdout: '',
    stderr: "pmctl: cannot find service 'x'\n  see: pmctl status\n",
  });
  expect((await pmctl(path, 'logs', '--until', '1m', '-f', 'web')).code).toBe(2);
  const unreachable = await pmctl('/nonexistent/pm.sock', 'status');
  expect(unreachable.code).toBe(5);
  expect(unreachable.stderr).toMatch(
    /^pmctl: cannot reach the daemon on '\/nonexistent\/pm.sock': /,
  );
});

test('a daemon of another build is refused, but its version can be asked for', async () => {
  const { path } = await startServer({}, {}, BUILD);
  const { code, stderr } = await pmctl(path, 'status');
  expect(code).toBe(6);
  expect(stderr).toMatch(/^pmctl: pmctl is not co-built with this daemon: /);
  expect((await pmctl(path, 'server-version')).stdout).toContain('processmaster 1.2.3');
});

test('help needs no daemon', async () => {
  const nowhere = '/nonexistent/pm.sock';
  expect((await pmctl(nowhere, 'help')).stdout).toContain('usage: pmctl');
  expect((await pmctl(nowhere, 'help', 'stop')).stdout).toContain('usage: pmctl stop');
  expect((await pmctl(nowhere, 'stop', '-h')).stdout).toContain('usage: pmctl stop');
  expect((await pmctl(nowhere, 'help', 'nothing')).code).toBe(2);
});

test('a large answer arrives whole through a pipe', async () => {
  const lines = Array.from({ length: 9_000 }, (_, at) => `${at} ${'x'.repeat(90)}`);
  const { path } = await coBuilt({
    'logs.tail': () => ({ files: [{ path: '/l', lines, truncated: false }] }),
  });
  expect((await pmctl(path, 'logs', 'web', '-n', '9000')).stdout).toBe(`${lines.join('\n')}\n`);
});
