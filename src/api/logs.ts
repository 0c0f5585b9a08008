import { basename } from 'node:path';
import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import { parseServiceName, type ServiceName } from '../model/service-name.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { LogSourceRow, ReadPiece } from '../rpc/log-rows.ts';
import { statusNamed } from './one-service.ts';
import type { ApiPorts, LogSource } from './ports.ts';

/** The last lines of each of a service's output files, and of those that it writes by itself. */
export async function tailLogs(
  ports: ApiPorts,
  { name, lines }: ParamsOf<'logs.tail'>,
): Promise<ResultOf<'logs.tail'>> {
  const { name: service } = statusNamed(ports, name);
  const written = await ports.tailLogs(service, lines);
  const hints = await ports.tailHints(service, lines);
  return { files: [...written, ...hints] };
}

/**
 * Which files hold what is asked for, and with `previous` the time of the run before the last one.
 * @throws ProcessmasterError `not_found` for a name that no service (and no file) has, or without
 *   such a run
 */
export function findLogSources(
  ports: ApiPorts,
  { name, or_file, previous }: ParamsOf<'logs.sources'>,
): ResultOf<'logs.sources'> {
  const all = () => ports.statuses().flatMap((status) => ports.logSources(status.name));
  if (name === null) return { sources: all().map(rowOf), window: null };
  const service = parseServiceName(name);
  if (or_file && (service === null || ports.status(service) === null)) {
    const sources = all().filter(({ path }) => basename(path) === name);
    if (sources.length > 0) return { sources: sources.map(rowOf), window: null };
  }
  const { name: known } = statusNamed(ports, name);
  const window = previous ? previousRun(ports, known) : null;
  return { sources: ports.logSources(known).map(rowOf), window };
}

const BEGINNING = { inode: 0, offset: 0, modified_ms: 0, head_bytes: 0, head_crc: 0 };

/** Where reading in a file begins. @throws ProcessmasterError `not_found` */
export async function findLogStart(
  ports: ApiPorts,
  { application, path, lines, since_ms }: ParamsOf<'logs.start'>,
): Promise<ResultOf<'logs.start'>> {
  const source = sourceAt(ports, application, path);
  try {
    return { position: await ports.logStart(source, { lines, sinceMs: since_ms }) };
  } catch (error) {
    return { position: BEGINNING, problem: messageOf(error) };
  }
}

/** Reads on in files; what cannot be read of one is part of the answer. */
export async function readLogs(
  ports: ApiPorts,
  { reads, until_ms, to_the_end }: ParamsOf<'logs.read'>,
): Promise<ResultOf<'logs.read'>> {
  const options = { untilMs: until_ms, toTheEnd: to_the_end };
  const pieces: ReadPiece[] = [];
  // One after the other: an answer is as much as is in memory at once.
  for (const { application, path, position } of reads) {
    try {
      pieces.push(await ports.readLog(sourceAt(ports, application, path), position, options));
    } catch (error) {
      const nothing = { text: '', position, modified_ms: null, at_end: true, gap: false };
      pieces.push({ ...nothing, problem: messageOf(error) });
    }
  }
  return { pieces };
}

/** Reads back in a file. @throws ProcessmasterError `not_found` */
export async function readLogBefore(
  ports: ApiPorts,
  { application, path, position }: ParamsOf<'logs.before'>,
): Promise<ResultOf<'logs.before'>> {
  const source = sourceAt(ports, application, path);
  try {
    return await ports.readLogBefore(source, position);
  } catch (error) {
    return { text: '', position, at_start: true, gap: false, problem: messageOf(error) };
  }
}

/** No other files than those of a service are read for anybody. */
function sourceAt(ports: ApiPorts, application: string, path: string): LogSource {
  const { name } = statusNamed(ports, application);
  const source = ports.logSources(name).find((one) => one.path === path);
  if (source !== undefined) return source;
  throw new ProcessmasterError('not_found', `cannot read '${path}': it is no log of '${name}'`);
}

function previousRun(ports: ApiPorts, name: ServiceName): ResultOf<'logs.sources'>['window'] {
  const [before, last] = ports.runs(name, 2);
  const since = before?.startedAtMs ?? null;
  // All that a run has said is in the files before the next one begins.
  const until = last?.startedAtMs ?? before?.endedAtMs ?? null;
  if (before === undefined || last === undefined || since === null || until === null) {
    const why = 'there is no run before the last one';
    throw new ProcessmasterError('not_found', `cannot show the previous run of '${name}': ${why}`);
  }
  return { run: before.run, since_ms: since, until_ms: until };
}

function rowOf({ service, path, stream }: LogSource): LogSourceRow {
  return { application: service, path, stream };
}
