import { daemonMetrics } from '../../metrics/daemon-metrics.ts';
import { renderMetrics } from '../../metrics/metric.ts';
import { serviceMetrics, usageMetrics } from '../../metrics/service-metrics.ts';
import { type Invocation, json, type Output, printed } from '../invocation.ts';

export async function run({ format, call }: Invocation): Promise<Output> {
  const version = await call('daemon.version', {});
  const own = await call('daemon.metrics', {});
  const { services } = await call('status', {});
  const usage = await call('usage', {});
  const metrics = [
    ...daemonMetrics(version, own),
    ...serviceMetrics(services),
    ...usageMetrics(usage.services),
  ];
  return printed(format === 'json' ? json(metrics) : renderMetrics(metrics));
}
