import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_HISTORY, type History, recentRestarts } from '../../src/model/history.ts';
import type { RestartSpec } from '../../src/model/service-spec.ts';
import {
  backoffDelayMs,
  grantRestart,
  isFailure,
  wantsRestart,
} from '../../src/reconciler/restart-budget.ts';
import { exited } from '../builders/situations.ts';
import { spec } from '../builders/specs.ts';

const restart: RestartSpec = {
  policy: 'always',
  backoffMs: 1_000,
  backoffMaxMs: 60_000,
  maxRestarts: 3,
  toleranceMs: 180_000,
};
const MIDDLE = 0.5;

describe('the backoff', () => {
  it.each([
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [6, 32_000],
    [7, 60_000],
    [1_000, 60_000],
  ])('after %i failures in a row is %i ms', (failures, expected) => {
    expect(backoffDelayMs(restart, failures, MIDDLE)).toBe(expected);
  });

  it('varies by a fifth either way', () => {
    expect(backoffDelayMs(restart, 1, 0)).toBe(800);
    expect(backoffDelayMs(restart, 1, 0.999_999)).toBe(1_200);
  });

  it('is never shorter than its base, whatever the maximum says', () => {
    expect(backoffDelayMs({ ...restart, backoffMaxMs: 10 }, 5, MIDDLE)).toBe(1_000);
  });

  it('of nothing is nothing', () => {
    expect(backoffDelayMs({ ...restart, backoffMs: 0 }, 9, 0.9)).toBe(0);
  });
});

describe('a failure', () => {
  it.each([
    ['a success code', exited(0), false],
    ['another success code', exited(3), false],
    ['any other code', exited(1), true],
    ['a signal', { kind: 'signaled', signal: 'SIGSEGV' } as const, true],
    ['an unknown exit', { kind: 'unknown', reason: 'x' } as const, true],
    [
      'a start that could not happen',
      { kind: 'launch_failed', stage: 'exec', message: 'x' } as const,
      true,
    ],
  ])('%s', (_title, exit, expected) => {
    expect(isFailure(exit, [0, 3])).toBe(expected);
    expect(
      wantsRestart(spec({ restart: { policy: 'on-failure' }, successExitCodes: [0, 3] }), exit),
    ).toBe(expected);
  });
});

describe('the tolerance', () => {
  const grant = (
    history: Partial<History>,
    nowMs: number,
    ranMs = 10,
    changes: Partial<RestartSpec> = {},
  ) =>
    grantRestart(
      { ...EMPTY_HISTORY, ...history },
      { ...restart, ...changes },
      ranMs,
      nowMs,
      MIDDLE,
    );

  it('grants as many restarts as it says, and fails at the next', () => {
    let history: History = EMPTY_HISTORY;
    for (const nowMs of [0, 1_000, 3_000]) {
      history = { ...history, ...grant(history, nowMs) };
      expect(history.failed).toBe(false);
    }
    const exhausted = grant(history, 7_000);
    expect(exhausted.failed).toBe(true);
    expect(exhausted.nextStartMonotonicMs).toBeNull();
    expect(exhausted.consecutiveFailures).toBe(4);
    expect(exhausted.restartsMonotonicMs).toHaveLength(3);
  });

  it('slides: a restart counts until the window has passed it', () => {
    const restartsMonotonicMs = [0, 100_000, 170_000];
    expect(grant({ restartsMonotonicMs }, 179_999).failed).toBe(true);
    expect(grant({ restartsMonotonicMs }, 180_000).failed).toBe(false);
  });

  it('of no restarts fails at once', () => {
    expect(grant({}, 0, 10, { maxRestarts: 0 }).failed).toBe(true);
  });

  it('doubles the delay with each failure in a row', () => {
    expect(grant({ consecutiveFailures: 2 }, 0)).toMatchObject({
      consecutiveFailures: 3,
      nextStartMonotonicMs: 4_000,
    });
  });

  it('goes back to the base delay after a minute of running', () => {
    expect(grant({ consecutiveFailures: 2 }, 0, 60_000)).toMatchObject({
      consecutiveFailures: 1,
      nextStartMonotonicMs: 1_000,
    });
    expect(grant({ consecutiveFailures: 2 }, 0, 59_999).consecutiveFailures).toBe(3);
  });

  it('remembers ten minutes of restarts for people, and no more', () => {
    const restartsMonotonicMs = [0, 1, 500_000];
    const granted = grant({ restartsMonotonicMs }, 600_000);
    expect(granted.restartsMonotonicMs).toEqual([1, 500_000, 600_000]);
    expect(recentRestarts({ ...EMPTY_HISTORY, ...granted }, 600_000)).toBe(3);
    expect(recentRestarts({ ...EMPTY_HISTORY, ...granted }, 600_001)).toBe(2);
  });

  it('remembers as many restarts as its window needs, at least 256', () => {
    const restartsMonotonicMs = Array.from({ length: 300 }, (_, index) => index);
    expect(
      grant({ restartsMonotonicMs }, 400, 10, { maxRestarts: 1_000 }).restartsMonotonicMs,
    ).toHaveLength(301);
    const many = grant({ restartsMonotonicMs }, 400_000, 10, {
      maxRestarts: 2,
      toleranceMs: 1_000,
    });
    expect(many.restartsMonotonicMs).toHaveLength(256);
    expect(many.restartsMonotonicMs.at(-1)).toBe(400_000);
  });

  it('remembers a longer window when the tolerance is longer', () => {
    const granted = grant({ restartsMonotonicMs: [0] }, 3_000_000, 10, { toleranceMs: 3_600_000 });
    expect(granted.restartsMonotonicMs).toEqual([0, 3_000_000]);
  });

  it('never grants more than its number in any window, and remembers boundedly', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 600 }),
        fc.integer({ min: 0, max: 300 }),
        (gaps, maxRestarts) => {
          const policy = { ...restart, maxRestarts, toleranceMs: 60_000 };
          const granted: number[] = [];
          let history: History = EMPTY_HISTORY;
          let nowMs = 0;
          for (const gap of gaps) {
            nowMs += gap;
            history = { ...history, ...grantRestart(history, policy, 10, nowMs, MIDDLE) };
            if (!history.failed) granted.push(nowMs);
            const inWindow = granted.filter((grantedMs) => nowMs - grantedMs < 60_000);
            expect(inWindow.length).toBeLessThanOrEqual(maxRestarts);
          }
          expect(history.restartsMonotonicMs.length).toBeLessThanOrEqual(300);
        },
      ),
    );
  });
});
