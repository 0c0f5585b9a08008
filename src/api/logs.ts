import { parseServiceName } from '../model/service-name.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { ApiPorts } from './ports.ts';
import { unknownService } from './select.ts';

/** The last lines of each of a service's output files, and of those that it writes by itself. */
export async function tailLogs(
  ports: ApiPorts,
  { name, lines }: ParamsOf<'logs.tail'>,
): Promise<ResultOf<'logs.tail'>> {
  const service = parseServiceName(name);
  if (service === null || ports.status(service) === null) {
    throw unknownService(
      name,
      ports.statuses().map((status) => status.name),
    );
  }
  const written = await ports.tailLogs(service, lines);
  const hints = await ports.tailHints(service, lines);
  return { files: [...written, ...hints] };
}
