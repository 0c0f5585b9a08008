import { formatSize } from '../lib/size.ts';

/** Processes of a run that the kernel killed because memory ran out. */
export interface OutOfMemory {
  readonly kills: number;
  /** `name (pid)` of those that the kernel's log tells of, the last few. */
  readonly victims: readonly string[];
  /** Of all processes of the service together; `null` is no limit of its own, or not known. */
  readonly limitBytes: number | null;
  readonly peakBytes: number | null;
}

/** `out of memory: limit 64MiB, peak 64MiB; killed: worker (123)`, for people. */
export function describeOutOfMemory(end: OutOfMemory): string {
  const { kills, victims, limitBytes, peakBytes } = end;
  const limit = limitBytes === null ? 'no limit of its own' : `limit ${formatSize(limitBytes)}`;
  const peak = peakBytes === null ? '' : `, peak ${approximateSize(peakBytes)}`;
  const count = kills === 1 ? '1 process' : `${kills} processes`;
  const who = victims.length === 0 ? count : victims.join(', ');
  return `out of memory (${limit}${peak}; killed: ${who})`;
}

const MIB = 1024 ** 2;

/** What was measured is seldom round. */
function approximateSize(bytes: number): string {
  return bytes % MIB === 0 ? formatSize(bytes) : `${(bytes / MIB).toFixed(1)}MiB`;
}
