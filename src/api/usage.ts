import { ProcessmasterError } from '../lib/errors.ts';
import { SAMPLE_FIELDS, SAMPLE_MS, SAMPLES_KEPT, sampleNumber } from '../model/usage-sample.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import { statusNamed } from './one-service.ts';
import type { ApiPorts } from './ports.ts';
import { select } from './select.ts';

/**
 * What services use now, in the order of the status; all when none is named.
 * @throws ProcessmasterError `not_found` for a name or pattern that means nothing
 */
export function showUsage(ports: ApiPorts, { names }: ParamsOf<'usage'>): ResultOf<'usage'> {
  const statuses = ports.statuses();
  const meant = names.length === 0 ? statuses : select(statuses, names).map(({ status }) => status);
  const services = meant.flatMap(({ name, history, cgroup }) => {
    if (cgroup.kind === 'absent') return [];
    return ports.usage(name, history.run?.number ?? null) ?? [];
  });
  return { services };
}

const HOUR_MS = 3_600_000;

/**
 * What a service used over time, as far as it is kept.
 * @throws ProcessmasterError `not_found` for a name that no service has, `invalid_argument` for a time
 *   that ends before it begins
 */
export function showUsageHistory(
  ports: ApiPorts,
  { name, from_ms, until_ms, points, fields }: ParamsOf<'usage.history'>,
): ResultOf<'usage.history'> {
  const { name: service } = statusNamed(ports, name);
  const nowMs = ports.clock.wallMs();
  const last = sampleNumber(Math.min(until_ms ?? nowMs, nowMs));
  const asked = sampleNumber(from_ms ?? last * SAMPLE_MS - HOUR_MS);
  if (from_ms !== null && from_ms > (until_ms ?? nowMs)) {
    throw new ProcessmasterError(
      'invalid_argument',
      `cannot show what '${name}' used: the time ends before it begins`,
    );
  }
  const oldest = Math.max(asked, sampleNumber(nowMs) - SAMPLES_KEPT + 1);
  const { first, step } = pointsOf(oldest, last, points);
  const count = Math.min(Math.max(last - first + 1, 0), SAMPLES_KEPT);
  const series = ports.usageSeries(
    service,
    { first, count, step },
    fields.length === 0 ? SAMPLE_FIELDS : fields,
  );
  return { application: service, from_ms: first * SAMPLE_MS, step_ms: step * SAMPLE_MS, series };
}

/**
 * How many samples make a point, and the first of all. Points begin at whole multiples of their length, so
 * that they keep their places when the same is asked again a moment later. Pure.
 */
function pointsOf(oldest: number, last: number, most: number) {
  for (let step = Math.ceil(Math.max(last - oldest + 1, 1) / most); ; step += 1) {
    const first = most === 1 ? oldest : Math.floor(oldest / step) * step;
    if (Math.ceil((last - first + 1) / step) <= most) return { first, step };
  }
}
