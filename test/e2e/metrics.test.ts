import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { OPEN_METRICS } from '../../src/metrics/metric.ts';
import { type Instance, startInstance } from './harness.ts';
import { waitFor } from './wait-for.ts';

const DEADLINE_MS = 60_000;

test('a real Prometheus understands pmctl metrics', async () => {
  const instance = await startInstance();
  instance.defineScript('web', 'exec sleep 1000');
  instance.defineScript('report', 'exit 0', { process: { schedule: '0 0 29 2 *' } });
  await instance.running('web', 1);
  await instance.phase('report', 'SCHEDULED');
  expect((await instance.pmctl('run', 'report')).code).toBe(0);

  const query = await prometheusOf(instance);
  expect(await query('processmaster_service_phase{service="web"} == 1')).toEqual([
    { processmaster_service_phase: 'RUNNING', value: '1' },
  ]);
  expect(await query('processmaster_service_runs_total{service="web"}')).toEqual([{ value: '1' }]);
  expect(await query('processmaster_build_info')).toMatchObject([{ value: '1' }]);
  expect(await query('processmaster_service_cpu_seconds_total{service="web"}')).toHaveLength(1);
  expect(await query('sum(processmaster_events_total{kind="service.starting"})')).toEqual([
    { value: '2' },
  ]);
  const [fds] = await query('processmaster_daemon_open_descriptors');
  expect(Number(fds?.value)).toBeGreaterThan(10);
  // No controller counts it here: no number at all rather than 0.
  expect(await query('processmaster_service_memory_bytes')).toEqual([]);
});

/** A Prometheus that asks for the metrics of an instance each second; resolves when it has some. */
async function prometheusOf(instance: Instance) {
  const server = createServer((_request, response) => {
    void instance.pmctl('metrics').then(({ stdout }) => {
      response.setHeader('content-type', OPEN_METRICS).end(stdout);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
  const { port } = server.address() as AddressInfo;
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `global: {scrape_interval: 1s}
scrape_configs: [{job_name: pm, static_configs: [{targets: ['127.0.0.1:${port}']}]}]
`,
  );
  const own = await freePort();
  const args = [
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=127.0.0.1:${own}`,
  ];
  const child = spawn('prometheus', args, { stdio: 'ignore' });
  onTestFinished(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true });
  });
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${own}/api/v1/${path}`).catch(() => null);
    return response?.ok ? ((await response.json()) as Answer).data : null;
  };
  const target = await waitFor(
    async () => (await ask('targets'))?.activeTargets?.find(({ health }) => health !== 'unknown'),
    { what: 'Prometheus to have asked', deadlineMs: DEADLINE_MS },
  );
  expect([target.lastError, target.health]).toEqual(['', 'up']);
  return async (expression: string) => {
    const data = await ask(`query?query=${encodeURIComponent(expression)}`);
    return (data?.result ?? []).map(({ metric, value }) => {
      const { __name__, instance: _, job: _job, service: _service, ...labels } = metric;
      return { ...labels, value: value[1] };
    });
  };
}

interface Answer {
  readonly data: {
    readonly activeTargets?: readonly { readonly health: string; readonly lastError: string }[];
    readonly result?: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: readonly [number, string];
    }[];
  };
}

async function freePort(): Promise<number> {
  const socket = createSocket().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address() as AddressInfo;
  socket.close();
  await once(socket, 'close');
  return port;
}
