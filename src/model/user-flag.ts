import { type Parsed, parsed, unparsed } from '../lib/parsed.ts';
import type { Actor } from './intent.ts';
import { isSystemFlag, SYSTEM_FLAGS } from './system-flag.ts';

/** A word that an operator put on a service, for people and scripts; it changes nothing. */
export interface UserFlag {
  readonly name: string;
  /** Wall time at which it is over; `null` for never. */
  readonly expiresAtMs: number | null;
  readonly setAtMs: number;
  readonly actor: Actor;
}

/** So many of them may a service have. */
export const MOST_FLAGS = 32;

const USER_FLAG = /^[A-Za-z0-9_.-]{1,50}$/;
/** `pmctl unflag web all` takes all of them. */
const ALL = 'all';

/** Reads the name of a user flag; those of the system, and `all`, are taken. */
export function parseUserFlag(text: string): Parsed<string> {
  if (!USER_FLAG.test(text)) return unparsed('1 to 50 letters, digits, "_", "." or "-"');
  if (text === ALL || isSystemFlag(text)) {
    return unparsed(`a name other than ${ALL}, ${SYSTEM_FLAGS.join(', ')}`);
  }
  return parsed(text);
}

/** Whether a flag's time is not over. */
export function holds({ expiresAtMs }: UserFlag, nowMs: number): boolean {
  return expiresAtMs === null || expiresAtMs > nowMs;
}

/** The flags with `added` on top, by name; a flag that is there already gets the new expiry. */
export function withFlags(
  flags: readonly UserFlag[],
  added: readonly UserFlag[],
): readonly UserFlag[] {
  const byName = new Map([...flags, ...added].map((flag) => [flag.name, flag]));
  return [...byName.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}
