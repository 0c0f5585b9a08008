import type { LogTail } from '../api/ports.ts';
import { readEndAs } from '../host/read-end-as.ts';
import { messageOf } from '../lib/errors.ts';
import { readLastLines } from '../log-reader/read-last-lines.ts';
import { type Tail, tailLines, tailOfEnd } from '../logs/tail.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { ServiceSpec } from '../model/service-spec.ts';
import type { Store } from '../reconciler/store.ts';
import { specOf } from './read-logs.ts';

/** Most bytes of a log file that are looked at for its last lines. */
const TAIL_BYTES = 1_048_576;
/** Each takes a process, and memory for what it says. */
const HINTS_AT_ONCE = 4;

/** The last lines of the files that are written for a service. */
export async function tailLogs(
  store: Store,
  name: ServiceName,
  lines: number,
): Promise<readonly LogTail[]> {
  const spec = specOf(store, name);
  if (spec === null) return [];
  const tails: LogTail[] = [];
  for (const path of outputPaths(spec)) tails.push({ path, ...(await tailLog(path, lines)) });
  return tails;
}

/** Goes on in backups where the file that is written to has too few lines. */
async function tailLog(path: string, lines: number): Promise<Tail> {
  const tail = tailLines(path, { lines, maxBytes: TAIL_BYTES });
  if (tail.truncated || tail.lines.length >= lines) return tail;
  const end = await readLastLines(path, lines, TAIL_BYTES);
  return tailOfEnd(end, { lines });
}

/** The last lines of the files that a service writes by itself, read as its user. */
export async function tailHints(
  store: Store,
  name: ServiceName,
  lines: number,
): Promise<readonly LogTail[]> {
  const spec = specOf(store, name);
  if (spec === null) return [];
  const written = outputPaths(spec);
  const paths = spec.logs.hints.filter((path) => !written.includes(path));
  const tails: LogTail[] = [];
  for (let at = 0; at < paths.length; at += HINTS_AT_ONCE) {
    const some = paths.slice(at, at + HINTS_AT_ONCE);
    tails.push(...(await Promise.all(some.map((path) => tailHint(spec, path, lines)))));
  }
  return tails;
}

/** What cannot be read is part of the answer: the other files are not lost. */
async function tailHint(spec: ServiceSpec, path: string, lines: number): Promise<LogTail> {
  try {
    const end = await readEndAs(spec, path, TAIL_BYTES);
    return { path, ...tailOfEnd(end, { lines }) };
  } catch (error) {
    return { path, lines: [], truncated: false, problem: messageOf(error) };
  }
}

function outputPaths({ logs }: ServiceSpec): readonly string[] {
  return [...new Set([logs.stdout, logs.stderr])];
}
