import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Tells this host from others, and stays the same for years: machine-id(5), which images of one host
 * do not share, or the host's name where there is none.
 */
export function hostId(): string {
  try {
    const id = readFileSync('/etc/machine-id', 'utf8').trim();
    return id === '' ? hostname() : id;
  } catch {
    // Not every container has one.
    return hostname();
  }
}
