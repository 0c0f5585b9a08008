import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Instance, startInstance } from './harness.ts';
import { commandLine, isAlive } from './kernel.ts';
import { examples } from './programs.ts';
import { waitFor } from './wait-for.ts';

const BACKOFF_MS = 400;
/** What jitter takes away at most. */
const SHORTEST_BACKOFF_MS = BACKOFF_MS * 0.8;

test('nginx that puts itself into the background runs from the drop of its file to its removal', async () => {
  const instance = await startInstance();
  const { file, url } = await dropExample(instance);

  await instance.running('web', undefined, 1_000);
  const [master, ...workers] = await masterAndWorkers(instance);
  expect(await greeting(url)).toContain('hello from nginx');
  const running = await instance.phase('web', 'RUNNING');
  expect(running.pids.toSorted()).toEqual([master, ...workers].toSorted());
  expect(running).toMatchObject({ running: true, actual: 'RUNNING', main_pid_gone: false });
  const logs = await instance.pmctl('logs', 'web', '-n', '20');
  expect(logs.stdout).toContain('start worker processes');

  process.kill(master, 'SIGKILL');
  const orphaned = await waitFor(
    async () => {
      const status = await instance.status('web');
      return status?.main_pid_gone ? status : null;
    },
    { what: 'the loss of the main process to be noticed' },
  );
  expect(instance.pidsOf('web').toSorted()).toEqual(workers.toSorted());
  expect(orphaned.phase).toBe('RUNNING');
  expect((await instance.pmctl('status', 'web')).stdout).toContain(
    `main process ${master} is gone`,
  );
  expect(await greeting(url)).toContain('hello from nginx');

  const killedAt = performance.now();
  for (const worker of workers) process.kill(worker, 'SIGKILL');
  await waitFor(() => instance.pidsOf('web').length === 0, { what: 'the cgroup to be empty' });
  const [secondMaster] = await masterAndWorkers(instance);
  expect(performance.now() - killedAt).toBeGreaterThan(SHORTEST_BACKOFF_MS);

  writeFileSync(file, `# a comment\n${readFileSync(file, 'utf8')}`);
  expect((await instance.pmctl('update')).code).toBe(0);
  expect(await masterAndWorkers(instance)).toContain(secondMaster);
  expect((await instance.status('web'))?.generation).toBe(1);

  writeFileSync(file, readFileSync(file, 'utf8').replace('value: hello', 'value: good morning'));
  await waitFor(() => !isAlive(secondMaster), { what: 'the old master to end' });
  const [thirdMaster] = await masterAndWorkers(instance);
  expect(await greeting(url)).toContain('hello from nginx');

  rmSync(file);
  await instance.gone('web');
  expect(isAlive(thirdMaster)).toBe(false);
  await expect(greeting(url)).rejects.toThrow();
  const forgotten = async () => (await instance.status('web')) === undefined;
  await waitFor(forgotten, { what: 'web to be forgotten' });
});

test('nginx in the foreground runs as an unprivileged user and ends by its own stop signal', async () => {
  const instance = await startInstance();
  const port = await freePort();
  const folder = instance.folder('front');
  writeFileSync(join(folder, 'nginx.conf'), foregroundConfig(port));
  const scratch = instance.folder('front/tmp');
  execFileSync('chown', ['www-data:www-data', scratch]);
  instance.define('front', {
    process: {
      working_directory: folder,
      start_command: ['nginx', '-p', '.', '-c', 'nginx.conf', '-e', 'stderr'],
      user: 'www-data',
      stop_signal: 'SIGQUIT',
    },
  });

  const [master, worker] = await instance.running('front', 2);
  await waitFor(() => greeting(`http://127.0.0.1:${port}/`).catch(() => null), { what: 'nginx' });
  expect((await instance.phase('front', 'RUNNING')).main_pid).toBe(
    Math.min(master ?? 0, worker ?? 0),
  );
  const stopped = await instance.pmctl('stop', 'front');

  expect(stopped).toMatchObject({ code: 0, stdout: expect.stringContaining('0 killed') });
  expect([master, worker].map((pid) => isAlive(pid ?? 0))).toEqual([false, false]);
});

/** `examples/web.yaml` and its folder on a port of their own, with a short backoff. */
async function dropExample(instance: Instance): Promise<{ file: string; url: string }> {
  const port = await freePort();
  const folder = instance.folder('web');
  const config = readFileSync(join(examples, 'web/nginx.conf'), 'utf8');
  writeFileSync(join(folder, 'nginx.conf'), config.replace(':18080', `:${port}`));
  const definition = readFileSync(join(examples, 'web.yaml'), 'utf8').replace('../web', folder);
  const file = instance.define(
    'web',
    `${definition}\nrestart_policy:\n  restart_backoff_ms: ${BACKOFF_MS}\n`,
  );
  return { file, url: `http://127.0.0.1:${port}/` };
}

/** The master, then its two workers, once there are just these. */
async function masterAndWorkers(instance: Instance): Promise<readonly [number, ...number[]]> {
  const read = (): readonly [number, ...number[]] | null => {
    const pids = instance.pidsOf('web');
    const of = (kind: string) =>
      pids.filter((pid) => commandLine(pid).startsWith(`nginx: ${kind}`));
    const [[master, ...more], workers] = [of('master'), of('worker')];
    const isWhole = more.length === 0 && workers.length === 2 && pids.length === 3;
    return master !== undefined && isWhole ? [master, ...workers] : null;
  };
  return waitFor(read, { what: 'nginx with a master and two workers' });
}

async function greeting(url: string): Promise<string> {
  return (await fetch(url, { headers: { connection: 'close' } })).text();
}

function foregroundConfig(port: number): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off; pid tmp/nginx.pid; error_log stderr notice; worker_processes 1;
events {}
http {
  ${paths.map((name) => `${name}_temp_path tmp/${name};`).join('\n  ')}
  access_log off;
  server { listen 127.0.0.1:${port}; return 200 "hello"; }
}
`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
