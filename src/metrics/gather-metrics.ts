import type { MethodName, RequestOf, ResultOf } from '../rpc/contract.ts';
import { daemonMetrics } from './daemon-metrics.ts';
import type { Metric } from './metric.ts';
import { serviceMetrics, usageMetrics } from './service-metrics.ts';

type Ask = <M extends MethodName>(method: M, params: RequestOf<M>) => Promise<ResultOf<M>>;

/** Everything that is told of a daemon and its services, asked for now. */
export async function gatherMetrics(ask: Ask): Promise<readonly Metric[]> {
  const [version, own, { services }, usage] = await Promise.all([
    ask('daemon.version', {}),
    ask('daemon.metrics', {}),
    ask('status', {}),
    ask('usage', {}),
  ]);
  return [
    ...daemonMetrics(version, own),
    ...serviceMetrics(services),
    ...usageMetrics(usage.services),
  ];
}
