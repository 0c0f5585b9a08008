import { readdirSync } from 'node:fs';

/** What this process itself uses. */
export interface OwnUsage {
  readonly cpuUs: number;
  readonly residentBytes: number;
  readonly openDescriptors: number;
}

/** @throws when /proc is not there */
export function readOwnUsage(): OwnUsage {
  const { user, system } = process.cpuUsage();
  return {
    cpuUs: user + system,
    residentBytes: process.memoryUsage.rss(),
    // Less the one that the listing itself is read by.
    openDescriptors: readdirSync('/proc/self/fd').length - 1,
  };
}
