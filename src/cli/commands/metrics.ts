import { gatherMetrics } from '../../metrics/gather-metrics.ts';
import { renderMetrics } from '../../metrics/metric.ts';
import { type Invocation, json, type Output, printed } from '../invocation.ts';

export async function run({ format, call }: Invocation): Promise<Output> {
  const metrics = await gatherMetrics(call);
  return printed(format === 'json' ? json(metrics) : renderMetrics(metrics));
}
