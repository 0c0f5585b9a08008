import { expect, test } from 'vitest';
import type { Instant } from '../../src/lib/clock.ts';
import { applyFact } from '../../src/model/fact.ts';
import { EMPTY_HISTORY, type History } from '../../src/model/history.ts';
import { jitterOffsetMs } from '../../src/model/job-jitter.ts';
import type { SlotRecord } from '../../src/model/job-progress.ts';
import { plan } from '../../src/reconciler/plan.ts';
import { settle } from '../../src/reconciler/settle.ts';
import type { PlanInput } from '../../src/reconciler/situation.ts';
import { observed } from '../builders/situations.ts';
import { accepted, desired, job, name } from '../builders/specs.ts';
import { vixieStarts } from '../fakes/vixie-cron.ts';

const MINUTE_MS = 60_000;
const FROM_MS = Date.UTC(2026, 0, 1, 0, 0, 30);
const UNTIL_MS = Date.UTC(2027, 0, 1, 0, 0, 30);
const JOBS = 500;

const ZONES = ['America/New_York', 'Europe/London', 'Australia/Lord_Howe', 'Asia/Kolkata'];
/** Every 25th job: they have most of the slots. */
const DENSE = ['0 * * * *', '*/20 * * * *'];
const SCHEDULES = [
  '20,50 0-6/2 * * 0',
  '*/20 2 * * *',
  '30 1,2 * * *',
  '15 2 * * *',
  '0 0 * * *',
  '10,40 8-18 * * 1-5',
  '0 6 1 * *',
  '0 6 13 * 5',
  '45 23 31 * *',
  '5 */4 */3 * *',
];
/** Ends at once, just before the next of some slots, and after many of them. */
const LIVES_MS = [1_000, 19 * MINUTE_MS, 61 * MINUTE_MS, 30 * 60 * MINUTE_MS];

interface SimulatedJob {
  readonly cron: string;
  readonly timezone: string;
  readonly livesMs: number;
  readonly jitterMs: number;
}

function simulatedJob(index: number): SimulatedJob {
  const pick = <T>(values: readonly T[], by: number) =>
    values[Math.floor(index / by) % values.length];
  return {
    cron: (index % 25 === 0 ? pick(DENSE, 25) : pick(SCHEDULES, 1)) ?? '',
    timezone: pick(ZONES, SCHEDULES.length) ?? '',
    livesMs: pick(LIVES_MS, SCHEDULES.length * ZONES.length) ?? 0,
    jitterMs: index % 7 === 0 ? 10 * MINUTE_MS : 0,
  };
}

/** Runs a job for a year on a clock that jumps from one moment that matters to the next. */
class Year {
  readonly slots = new Map<number, SlotRecord['outcome'][]>();
  readonly starts: number[] = [];
  readonly #input: Omit<PlanInput, 'history' | 'observation'>;
  readonly #livesMs: number;
  #history: History = EMPTY_HISTORY;
  #endsAtMs: number | null = null;
  #nowMs = FROM_MS;

  constructor(index: number, { cron, timezone, livesMs, jitterMs }: SimulatedJob) {
    const spec = accepted({
      name: name(`job-${index}`),
      job: job({ schedule: cron, timezone, jitterMs }),
    });
    const rest = { intent: null, environment: null, shuttingDown: false, hostId: 'host' };
    this.#input = { desired: desired(spec), ...rest };
    this.#livesMs = livesMs;
  }

  run(): void {
    while (this.#nowMs < UNTIL_MS) {
      this.#pass();
      const slotMs = this.#history.job?.nextSlotMs ?? UNTIL_MS;
      this.#nowMs = Math.min(slotMs + this.offsetMs, this.#endsAtMs ?? UNTIL_MS);
    }
  }

  get offsetMs(): number {
    const spec = this.#input.desired?.accepted?.spec;
    return jitterOffsetMs('host', spec?.name ?? '', spec?.job?.jitterMs ?? 0);
  }

  /** As often as there is something to do, as the reconciler would. */
  #pass(): void {
    for (let passes = 0; passes < 5; passes += 1) {
      this.#end();
      const now: Instant = { wallMs: this.#nowMs, monotonicMs: this.#nowMs };
      const isThere = this.#endsAtMs !== null;
      const observation = observed(isThere ? { kind: 'populated', pids: [1] } : { kind: 'absent' });
      const input = { ...this.#input, observation };
      const before = this.#history.job?.last;
      this.#history = settle({ ...input, history: this.#history }, now, 0.5);
      const settled = this.#history.job?.last;
      if (settled && settled !== before) this.#note(settled);
      const { actions } = plan({ ...input, history: this.#history }, now);
      if (actions.length === 0) return;
      for (const action of actions) this.#act(action, now);
    }
  }

  #end(): void {
    if (this.#endsAtMs === null || this.#endsAtMs > this.#nowMs) return;
    this.#endsAtMs = null;
    this.#history = applyFact(this.#history, {
      kind: 'launched-exit',
      runNumber: this.#history.lastRunNumber,
      exit: { kind: 'exited', code: 0 },
      at: { wallMs: this.#nowMs, monotonicMs: this.#nowMs },
    });
  }

  #act(action: ReturnType<typeof plan>['actions'][number], now: Instant): void {
    if (action.kind === 'record-slots') {
      const { slots, doneUntilMs } = action;
      this.#history = applyFact(this.#history, { kind: 'slots-recorded', slots, doneUntilMs });
      for (const slot of slots) this.#note(slot);
      return;
    }
    expect(action.kind).toBe('start');
    if (action.kind !== 'start') return;
    expect(this.#endsAtMs, 'two runs at once').toBeNull();
    const { runNumber: number, intentId, reason, slotMs } = action;
    const run = { number, launchedAt: now, accepted: action.accepted, intentId, reason };
    const slot = slotMs === undefined ? {} : { slotMs };
    this.#history = applyFact(this.#history, { kind: 'launching', run, ...slot });
    this.#endsAtMs = this.#nowMs + this.#livesMs;
    this.starts.push(this.#nowMs);
  }

  #note({ slotMs, outcome }: SlotRecord): void {
    if (outcome === null) return;
    this.slots.set(slotMs, [...(this.slots.get(slotMs) ?? []), outcome]);
  }
}

/** What is to happen: a slot that comes while a run goes on is skipped, any other is run. */
function expected({ cron, timezone, livesMs }: SimulatedJob): ReadonlyMap<number, string> {
  const outcomes = new Map<number, string>();
  let busyUntilMs = 0;
  for (const slotMs of starts(cron, timezone)) {
    const isBusy = slotMs < busyUntilMs;
    outcomes.set(slotMs, isBusy ? 'skipped' : 'ok');
    if (!isBusy) busyUntilMs = slotMs + livesMs;
  }
  return outcomes;
}

const startsByKey = new Map<string, readonly number[]>();

function starts(cron: string, zone: string): readonly number[] {
  const key = `${cron} ${zone}`;
  const known = startsByKey.get(key) ?? vixieStarts(cron, zone, FROM_MS + 30_000, UNTIL_MS);
  startsByKey.set(key, known);
  return known;
}

test('in a year of 500 jobs each slot has the one outcome that it should have', () => {
  let slots = 0;
  for (let index = 0; index < JOBS; index += 1) {
    const simulated = simulatedJob(index);
    const year = new Year(index, simulated);
    year.run();
    const wanted = expected(simulated);
    // What is going on at the end of the year has no outcome yet, nor has what its jitter puts off.
    const over = [...wanted].filter(
      ([slotMs]) => slotMs < UNTIL_MS - 2 * simulated.livesMs - 2 * simulated.jitterMs - MINUTE_MS,
    );
    expect(over.map(([slotMs]) => [slotMs, ...(year.slots.get(slotMs) ?? [])])).toEqual(over);
    for (const slotMs of year.slots.keys()) expect(wanted.has(slotMs)).toBe(true);
    const began = [...wanted].filter(([, outcome]) => outcome === 'ok');
    expect(year.starts.slice(0, began.length - 1)).toEqual(
      began.slice(0, -1).map(([slotMs]) => slotMs + year.offsetMs),
    );
    slots += over.length;
  }
  expect(slots).toBeGreaterThan(400_000);
}, 300_000);
