import type { Instant } from '../lib/clock.ts';

/** Who asked: `local` for the unix socket, a console user's name otherwise. */
export type Actor = string;

/**
 * What an operator last asked for, kept apart from the spec. Ids grow by one with each request, so
 * "was this run started after that request" is answered without a clock.
 */
export interface Intent {
  readonly id: number;
  readonly want: 'run' | 'stop';
  /** `pmctl start --force`: run although `global.enabled` is false. */
  readonly forced: boolean;
  /** A run that began before this request is to be replaced. */
  readonly restart: boolean;
  readonly actor: Actor;
  readonly requestedAtMs: number;
  /** Why, in the operator's words; see {@link reasonComplaint}. */
  readonly reason: string | null;
  /**
   * When it is over; `null` is never. The monotonic time decides, so that a step of the wall clock
   * moves nothing (both end with the boot, as intents do); the wall time is what was promised.
   */
  readonly until: Instant | null;
}

/** The bounds of a request that ends by itself. */
export const LEAST_FOR_MS = 1_000;
export const MOST_FOR_MS = 365 * 86_400_000;

/** The intent that counts at this moment: one whose time is over is none. */
export function intentInForce(intent: Intent | null, nowMonotonicMs: number): Intent | null {
  return intent !== null && leftMs(intent, nowMonotonicMs) <= 0 ? null : intent;
}

/** How long an intent is still in force; infinite for one without an end. */
export function leftMs({ until }: Intent, nowMonotonicMs: number): number {
  return until === null ? Number.POSITIVE_INFINITY : until.monotonicMs - nowMonotonicMs;
}

/** Clocks that disagree by less only drift; by more, one of them was set. */
const DRIFT_MS = 2_000;

/**
 * What the wall clock will show when an intent is over; `null` when it has no end. The promised time,
 * unless the wall clock was set since.
 */
export function endsAtWallMs({ until }: Intent, now: Instant): number | null {
  if (until === null) return null;
  const wallMs = now.wallMs + (until.monotonicMs - now.monotonicMs);
  if (Math.abs(wallMs - until.wallMs) < DRIFT_MS) return until.wallMs;
  // In whole seconds, so that it does not change from one look to the next.
  return Math.round(wallMs / 1_000) * 1_000;
}

const MOST_REASON_CHARACTERS = 256;

/** What is wrong with an operator's reason (completes "expected …"), or `null`. */
export function reasonComplaint(text: string): string | null {
  if (text.trim() === '') return 'a few words';
  if ([...text].length > MOST_REASON_CHARACTERS)
    return `at most ${MOST_REASON_CHARACTERS} characters`;
  // Line and paragraph separators and bidi controls are no control characters to Unicode, only to eyes.
  return /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(text)
    ? 'one line without control characters'
    : null;
}
