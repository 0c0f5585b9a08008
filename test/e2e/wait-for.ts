import { setTimeout as delay } from 'node:timers/promises';

interface Wait {
  /** Said when it did not come true, e.g. `nginx to run`. */
  readonly what: string;
  readonly deadlineMs?: number;
}

const POLL_MS = 20;

/** Polls until `read` gives something truthy, and gives that; throws after the deadline. */
export async function waitFor<T>(
  read: () => T | Promise<T>,
  { what, deadlineMs = 10_000 }: Wait,
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const giveUpAt = performance.now() + deadlineMs;
  for (;;) {
    const value = await read();
    if (value) return value as Exclude<T, false | null | undefined | 0 | ''>;
    if (performance.now() > giveUpAt) throw new Error(`waited ${deadlineMs} ms for ${what}`);
    await delay(POLL_MS);
  }
}
