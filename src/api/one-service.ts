import { parseServiceName } from '../model/service-name.ts';
import type { ServiceStatus } from '../model/status.ts';
import type { ApiPorts } from './ports.ts';
import { unknownService } from './select.ts';

/**
 * The status of the one service that a word names; patterns and `all` name none.
 * @throws ProcessmasterError `not_found`, naming near ones
 */
export function statusNamed(ports: ApiPorts, word: string): ServiceStatus {
  const name = parseServiceName(word);
  const status = name === null ? null : ports.status(name);
  if (status !== null) return status;
  throw unknownService(
    word,
    ports.statuses().map((one) => one.name),
  );
}
