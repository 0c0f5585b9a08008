import { expect, test } from 'vitest';
import { EMPTY_HISTORY } from '../../src/model/history.ts';
import { settleJob } from '../../src/reconciler/settle-job.ts';
import { at, progress } from '../builders/situations.ts';
import { accepted, desired, job } from '../builders/specs.ts';

const DEFINED = desired(accepted({ job: job() }));
const fresh = { ...EMPTY_HISTORY, job: progress({ nextSlotMs: null }) };

test('a next slot that is not after the last one holds the job for a minute', () => {
  for (const bad of [at(0).wallMs, at(-60_000).wallMs]) {
    const held = settleJob(fresh, fresh, DEFINED, null, at(0), () => bad);
    const { heldUntilMonotonicMs, nextSlotMs } = held.job ?? progress();
    expect([nextSlotMs, heldUntilMonotonicMs]).toEqual([null, at(60_000).monotonicMs]);
    let asked = 0;
    const count = () => {
      asked += 1;
      return at(3_600_000).wallMs;
    };
    settleJob(held, held, DEFINED, null, at(59_000), count);
    expect(asked).toBe(0);
    const after = settleJob(held, held, DEFINED, null, at(60_000), count);
    expect(after.job).toMatchObject({
      nextSlotMs: at(3_600_000).wallMs,
      heldUntilMonotonicMs: null,
    });
  }
});

test('the next slot is asked for once', () => {
  const settled = settleJob(fresh, fresh, DEFINED, null, at(0));
  const never = () => {
    throw new Error('asked again');
  };
  expect(settleJob(settled, settled, DEFINED, null, at(1), never)).toBe(settled);
});

test('a job in the zone of the host keeps the name of that zone', () => {
  const local = desired(accepted({ job: job({ timezone: null }) }));
  const { timezone } =
    settleJob(EMPTY_HISTORY, EMPTY_HISTORY, local, null, at(0)).job?.schedule ?? {};
  expect(timezone).toBe(new Intl.DateTimeFormat().resolvedOptions().timeZone);
});
