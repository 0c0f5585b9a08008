import { createHash } from 'node:crypto';

/**
 * How long after its slots a job begins, below `jitterMs`: always the same for a job on one host, and
 * spread evenly over jobs and hosts.
 */
export function jitterOffsetMs(hostId: string, name: string, jitterMs: number): number {
  if (jitterMs === 0) return 0;
  const hash = createHash('sha256').update(`${hostId}\n${name}`).digest();
  return Math.floor((hash.readUInt32BE(0) / 2 ** 32) * jitterMs);
}
