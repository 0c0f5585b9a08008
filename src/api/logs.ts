import { parseServiceName } from '../model/service-name.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { ApiPorts } from './ports.ts';
import { unknownService } from './select.ts';

/** The last lines of each of a service's output files. */
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
  return { files: await ports.tailLogs(service, lines) };
}
