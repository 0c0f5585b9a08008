import type { LogSource, LogStart } from '../api/ports.ts';
import { readOnAs } from '../host/read-end-as.ts';
import { findLastLines, findTime } from '../log-reader/find-start.ts';
import { BEGINNING, hasHead, type LogPosition, positionIn } from '../log-reader/log-position.ts';
import type { OpenSegments } from '../log-reader/open-segments.ts';
import { type PieceBefore, readLogBefore } from '../log-reader/read-back.ts';
import { type LogPiece, type ReadOptions, readLog } from '../log-reader/read-log.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { ServiceSpec } from '../model/service-spec.ts';
import type { Store } from '../reconciler/store.ts';

/** How much of the end of a hint is looked at, and read at once. */
const HINT_BYTES = 1_048_576;
const HEAD_BYTES = 256;
const NEWLINE = 0x0a;

/** The spec in force of a service, or the one that it last ran with; null without one. */
export function specOf(store: Store, name: ServiceName): ServiceSpec | null {
  const status = store.status(name);
  return (status?.desired?.accepted ?? status?.history.run?.accepted)?.spec ?? null;
}

/** The files of a service's output, stdout first; a file of both streams once. */
export function sourcesOfLogs(store: Store, service: ServiceName): readonly LogSource[] {
  const spec = specOf(store, service);
  if (spec === null) return [];
  const { stdout, stderr, hints } = spec.logs;
  const all: readonly LogSource[] = [
    { service, path: stdout, stream: 'stdout' },
    { service, path: stderr, stream: 'stderr' },
    ...hints.map((path): LogSource => ({ service, path, stream: 'hint' })),
  ];
  return all.filter(({ path }, at) => all.findIndex((one) => one.path === path) === at);
}

/** Where reading is to begin. @throws ProcessmasterError when the file cannot be read */
export async function findStart(
  store: Store,
  { service, path, stream }: LogSource,
  { lines, sinceMs }: LogStart,
): Promise<LogPosition> {
  const spec = specOf(store, service);
  if (stream === 'hint' && spec !== null) return hintStart(spec, path, lines);
  if (lines !== null) return findLastLines(path, lines);
  return sinceMs === null ? BEGINNING : findTime(path, sinceMs);
}

/** Reads on. @throws ProcessmasterError when the file cannot be read */
export async function readOn(
  { store, kept }: { readonly store: Store; readonly kept: OpenSegments },
  { service, path, stream }: LogSource,
  position: LogPosition,
  options: ReadOptions,
): Promise<LogPiece> {
  const spec = specOf(store, service);
  if (stream === 'hint' && spec !== null) return readHint(spec, path, position, options);
  return readLog(kept, path, position, options);
}

/** Reads back. @throws ProcessmasterError when the file cannot be read */
export async function readBack(
  { path, stream }: LogSource,
  position: LogPosition,
): Promise<PieceBefore> {
  // What a service writes by itself is read as its user, from somewhere on: there is no way back.
  if (stream === 'hint') return { text: '', position, at_start: true, gap: false };
  return readLogBefore(path, position);
}

/** A hint is read as the service's user, by a process: its last megabyte alone is searched. */
async function hintStart(
  spec: ServiceSpec,
  path: string,
  lines: number | null,
): Promise<LogPosition> {
  const head = await readOnAs(spec, path, 0, HEAD_BYTES);
  if (head === null) return BEGINNING;
  const from = Math.max(head.size - HINT_BYTES, 0);
  const end = await readOnAs(spec, path, from, HINT_BYTES);
  if (end === null || end.inode !== head.inode) return BEGINNING;
  const offset = from + lastLines(end.bytes, lines ?? Number.POSITIVE_INFINITY, from > 0);
  return positionIn({ inode: head.inode, modifiedAtMs: 0 }, offset, head.bytes);
}

/** Where the last lines begin in what is the end of a file. Pure. */
function lastLines(bytes: Buffer, lines: number, isCut: boolean): number {
  if (lines === 0) return bytes.length;
  let at = bytes.at(-1) === NEWLINE ? bytes.length - 1 : bytes.length;
  for (let left = lines; left > 0; left -= 1) {
    const before = at === 0 ? -1 : bytes.lastIndexOf(NEWLINE, at - 1);
    if (before === -1) return isCut ? at + 1 : 0;
    at = before;
  }
  return at + 1;
}

async function readHint(
  spec: ServiceSpec,
  path: string,
  position: LogPosition,
  { toTheEnd }: ReadOptions,
): Promise<LogPiece> {
  const nothing = { text: '', position, modified_ms: null, at_end: true, gap: false };
  const head = await readOnAs(spec, path, 0, HEAD_BYTES);
  if (head === null) return nothing;
  const isSame =
    head.inode === position.inode && head.size >= position.offset && hasHead(position, head.bytes);
  const offset = isSame ? position.offset : 0;
  const piece = head.size > offset ? await readOnAs(spec, path, offset, HINT_BYTES) : null;
  const found = piece?.inode === head.inode ? piece.bytes : Buffer.alloc(0);
  const isFull = found.length === HINT_BYTES;
  const whole = found.lastIndexOf(NEWLINE) + 1;
  const length = (toTheEnd && !isFull) || (isFull && whole === 0) ? found.length : whole;
  return {
    text: found.toString('utf8', 0, length),
    position: positionIn({ inode: head.inode, modifiedAtMs: 0 }, offset + length, head.bytes),
    modified_ms: null,
    at_end: !isFull,
    gap: !isSame && position.inode !== 0,
  };
}
