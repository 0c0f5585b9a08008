import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { OPEN_METRICS } from '../../src/metrics/metric.ts';
import { ConsoleRig, TOKEN } from './console-rig.ts';
import { freePort } from './free-port.ts';
import type { Instance } from './harness.ts';
import { waitFor } from './wait-for.ts';

const DEADLINE_MS = 60_000;

test.each(['pmctl metrics', "the console's /metrics"])(
  'a real Prometheus understands %s',
  async (what) => {
    const rig = await ConsoleRig.start();
    const { instance } = rig;
    instance.defineScript('web', 'exec sleep 1000');
    instance.defineScript('report', 'exit 0', { process: { schedule: '0 0 29 2 *' } });
    await instance.running('web', 1);
    await instance.phase('report', 'SCHEDULED');
    expect((await instance.pmctl('run', 'report')).code).toBe(0);

    const port = what === 'pmctl metrics' ? await printer(instance) : rig.port;
    const query = await prometheusOf(port);
    expect(await query('processmaster_service_phase{service="web"} == 1')).toEqual([
      { processmaster_service_phase: 'RUNNING', value: '1' },
    ]);
    expect(await query('processmaster_service_runs_total{service="web"}')).toEqual([
      { value: '1' },
    ]);
    expect(await query('processmaster_build_info')).toMatchObject([{ value: '1' }]);
    expect(await query('processmaster_service_cpu_seconds_total{service="web"}')).toHaveLength(1);
    expect(await query('sum(processmaster_events_total{kind="service.starting"})')).toEqual([
      { value: '2' },
    ]);
    const [fds] = await query('processmaster_daemon_open_descriptors');
    expect(Number(fds?.value)).toBeGreaterThan(10);
    // No controller counts it here: no number at all rather than 0.
    expect(await query('processmaster_service_memory_bytes')).toEqual([]);
  },
);

/** Serves what `pmctl metrics` prints; gives the port. */
async function printer(instance: Instance): Promise<number> {
  const server = createServer((_request, response) => {
    void instance.pmctl('metrics').then(({ stdout }) => {
      response.setHeader('content-type', OPEN_METRICS).end(stdout);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A Prometheus that asks on this port each second; resolves when it has some metrics. */
async function prometheusOf(port: number) {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `global: {scrape_interval: 1s}
scrape_configs:
  - job_name: pm
    authorization: {credentials: ${TOKEN}}
    static_configs: [{targets: ['127.0.0.1:${port}']}]
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
