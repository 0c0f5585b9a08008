import { afterEach, describe, expect, it } from 'vitest';
import type { SlotRecord } from '../../src/model/job-progress.ts';
import { job, WEB } from '../builders/specs.ts';
import { World } from './world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const EVERY_MINUTE = { schedule: '* * * * *' };

/** Half a minute before noon in UTC. */
const BEFORE_NOON = Date.UTC(2026, 0, 15, 11, 59, 30);

/** `12:00 ok`, `12:01-12:05 skipped`; the minutes in UTC. */
function told(slots: readonly SlotRecord[]): readonly string[] {
  const clock = (ms: number) => new Date(ms).toISOString().slice(11, 16);
  return slots
    .filter(({ outcome }) => outcome !== null)
    .map(({ slotMs, lastSlotMs, outcome }) =>
      lastSlotMs === slotMs
        ? `${clock(slotMs)} ${outcome}`
        : `${clock(slotMs)}-${clock(lastSlotMs)} ${outcome}`,
    );
}

describe('a job', () => {
  let world: World;
  afterEach(async () => {
    await world.controller.stop();
    expect(world.machine.violations).toEqual([]);
  });

  function begin(changes: Parameters<typeof job>[0] = EVERY_MINUTE, wallMs = BEFORE_NOON): World {
    world = new World(false, wallMs);
    world.machine.setTemper(WEB, { livesMs: 5_000 });
    world.define(WEB, { job: job(changes) });
    return world;
  }
  const slots = () => told(world.machine.slots);
  const starts = () => world.machine.actions.filter((action) => action === 'start web').length;
  const phase = () => world.store.status(WEB)?.phase;
  const conditions = () => (world.store.status(WEB)?.conditions ?? []).map(({ type }) => type);

  it('waits for its first slot', async () => {
    await begin().pass(29_000);
    expect(starts()).toBe(0);
    expect(phase()).toBe('SCHEDULED');
    expect(world.store.status(WEB)?.history.job?.nextSlotMs).toBe(BEFORE_NOON + 30_000);
  });

  it('runs at each slot, records it before, and leaves it at that', async () => {
    await begin().pass(2 * MINUTE_MS);
    expect(world.machine.actions.filter((action) => action !== 'remove-cgroup web')).toEqual([
      'record-slots web',
      'start web',
      'record-slots web',
      'start web',
    ]);
    expect(slots()).toEqual(['12:00 ok', '12:01 ok']);
    expect(phase()).toBe('SCHEDULED');
    expect(world.machine.hasCgroup(WEB)).toBe(false);
  });

  it('starts within a moment of its slot', async () => {
    await begin().pass(30_100);
    expect(world.machine.isRunning(WEB)).toBe(true);
    expect(phase()).toBe('RUNNING');
  });

  it('that fails says so, and runs at its next slot all the same', async () => {
    begin();
    world.machine.setTemper(WEB, { livesMs: 5_000, exitCode: 3 });
    await world.pass(2 * MINUTE_MS);
    expect(slots()).toEqual(['12:00 failed', '12:01 failed']);
  });

  it('that cannot be started has failed', async () => {
    begin();
    world.machine.setTemper(WEB, { cannotStart: true });
    await world.pass(MINUTE_MS);
    expect(slots()).toEqual(['12:00 failed']);
  });

  it('skips the slots that come while it runs', async () => {
    begin();
    world.machine.setTemper(WEB, { livesMs: 150_000 });
    await world.pass(4 * MINUTE_MS);
    expect(slots()).toEqual(['12:01 skipped', '12:02 skipped', '12:00 ok']);
    expect(starts()).toBe(2);
  });

  it('skips the slots that come while it runs, also right after a restart of the daemon', async () => {
    begin();
    world.machine.setTemper(WEB, { livesMs: 10 * MINUTE_MS });
    await world.pass(MINUTE_MS + 29_900);
    await world.reboot();
    await world.pass(MINUTE_MS + 1_000);
    expect(starts()).toBe(1);
    expect(slots()).toEqual(['12:01 skipped', '12:02 skipped']);
  });

  it('is stopped when it takes too long, and killed when it does not obey', async () => {
    begin({ schedule: '0 * * * *', maxTimePerRunMs: 10_000 });
    world.machine.setTemper(WEB, { livesMs: null, obeysAfterMs: null });
    await world.pass(30_000 + 10_000 + 1_000);
    expect(world.machine.actions.at(-1)).toBe('signal web');
    await world.pass(6_000);
    expect(world.machine.actions).toContain('kill web');
    expect(slots()).toEqual(['12:00 overtime']);
  });

  it('has its time from the start of its run, also when the daemon was away', async () => {
    begin({ schedule: '0 * * * *', maxTimePerRunMs: 60_000 });
    world.machine.setTemper(WEB, { livesMs: null });
    await world.pass(30_000 + 30_000);
    await world.controller.stop();
    world.clock.oversleep(25_000);
    await world.reboot();
    await world.pass(4_000);
    expect(world.machine.actions).not.toContain('signal web');
    await world.pass(2_000);
    expect(world.machine.actions).toContain('signal web');
    expect(slots()).toEqual(['12:00 overtime']);
  });

  it('that ends in time is not in overtime although its limit is cut later', async () => {
    begin({ schedule: '0 * * * *', maxTimePerRunMs: 60_000 });
    await world.pass(40_000);
    world.define(WEB, { job: job({ schedule: '0 * * * *', maxTimePerRunMs: 1_000 }) }, 'hash-1');
    await world.pass(1_000);
    expect(slots()).toEqual(['12:00 ok']);
  });

  it('takes over a shorter limit while it runs', async () => {
    begin({ schedule: '0 * * * *', maxTimePerRunMs: HOUR_MS });
    world.machine.setTemper(WEB, { livesMs: null });
    await world.pass(40_000);
    world.define(WEB, { job: job({ schedule: '0 * * * *', maxTimePerRunMs: 12_000 }) }, 'hash-1');
    await world.pass(3_000);
    expect(slots()).toEqual(['12:00 overtime']);
  });

  describe('that was missed', () => {
    async function away(changes: Parameters<typeof job>[0]): Promise<void> {
      begin(changes);
      await world.pass(40_000);
      await world.controller.stop();
      world.clock.oversleep(4 * MINUTE_MS);
      await world.reboot();
      await world.pass(1_000);
    }

    it('is not run, each of its slots is told once', async () => {
      await away({ schedule: '0-3 12 * * *' });
      expect(slots()).toEqual(['12:00 ok', '12:01 missed', '12:02 missed', '12:03 missed']);
      expect(starts()).toBe(1);
    });

    it('runs the last of them once where it is to catch up', async () => {
      await away({ schedule: '0-3 12 * * *', catchUp: 'last' });
      await world.pass(10 * MINUTE_MS);
      await world.reboot();
      await world.pass(10 * MINUTE_MS);
      expect(slots()).toEqual(['12:00 ok', '12:01 missed', '12:02 missed', '12:03 ok']);
      expect(starts()).toBe(2);
    });

    it('runs the slot of this very minute, which stands for those before', async () => {
      await away({ schedule: '* * * * *', catchUp: 'last' });
      await world.pass(10_000);
      expect(slots()).toEqual([
        ...['12:00 ok', '12:01 missed', '12:02 missed', '12:03 missed', '12:04 ok'],
      ]);
    });

    it('tells a long time in one, and the last hundred one by one', async () => {
      begin();
      await world.pass(40_000);
      await world.controller.stop();
      world.clock.oversleep(30 * 24 * HOUR_MS);
      await world.reboot();
      await world.pass(1_000);
      const [first, earlier, ...listed] = world.machine.slots.filter((slot) => slot.outcome);
      expect(first).toMatchObject({ outcome: 'ok' });
      expect(earlier).toMatchObject({ outcome: 'missed', slots: null });
      expect(listed.map(({ slots }) => slots)).toEqual(listed.map(() => 1));
      // The newest of the hundred is due right now, and runs.
      expect(listed.length).toBe(99);
      expect(earlier?.lastSlotMs).toBe((listed[0]?.slotMs ?? 0) - MINUTE_MS);
    });
  });

  it('whose daemon died between the record and the start is lost, and not run twice', async () => {
    begin();
    await world.pass(30_100);
    const history = world.machine.histories.get(WEB);
    if (!history?.job?.current) throw new Error('it was not started');
    // As if the daemon had been killed when the slot was on the disk and nothing was launched.
    world.machine.crash(WEB);
    await world.controller.stop();
    const current = { ...history.job.current, run: null, tries: 0 };
    const progress = { ...history.job, current };
    world.machine.histories.set(WEB, { ...history, run: null, runEnd: null, job: progress });
    await world.reboot();
    await world.pass(5_000);
    expect(slots()).toEqual(['12:00 lost']);
    expect(starts()).toBe(1);
  });

  it('whose daemon died between the record and the start is run where it is to catch up', async () => {
    begin({ schedule: '0 * * * *', catchUp: 'last' });
    await world.pass(29_000);
    const history = world.machine.histories.get(WEB);
    if (!history?.job) throw new Error('it is not known');
    await world.controller.stop();
    const slotMs = BEFORE_NOON + 30_000;
    const nothing = { reason: null, outcome: null, run: null, tries: 0, slots: 1 };
    const current: SlotRecord = { slotMs, lastSlotMs: slotMs, ...nothing };
    const progress = { ...history.job, doneUntilMs: slotMs, nextSlotMs: null, current };
    world.machine.histories.set(WEB, { ...history, job: progress });
    world.clock.oversleep(90_000);
    await world.reboot();
    await world.pass(10_000);
    await world.reboot();
    await world.pass(10_000);
    expect(slots()).toEqual(['12:00 ok']);
    expect(starts()).toBe(1);
  });

  it('whose end nobody saw is lost', async () => {
    begin();
    await world.pass(31_000);
    await world.controller.stop();
    // The end comes while there is no daemon, and no keeper knows of it in this world.
    world.machine.onExit = () => {};
    world.clock.advance(10_000);
    await world.reboot();
    await world.pass(10_000);
    expect(slots()).toEqual(['12:00 lost']);
  });

  it('that an operator stopped has its slots skipped until it is started', async () => {
    begin();
    world.ask(WEB, 'stop');
    await world.pass(5 * MINUTE_MS);
    expect(starts()).toBe(0);
    expect(phase()).toBe('STOPPED');
    world.ask(WEB, 'run');
    await world.pass(1_000);
    expect(starts()).toBe(1);
    await world.pass(MINUTE_MS);
    expect(slots().at(-1)).toBe('12:05 ok');
    expect(world.machine.slots.at(-3)).toMatchObject({ outcome: 'skipped', slots: 5 });
  });

  it('that is disabled has its slots skipped, also while it is forced to run', async () => {
    begin();
    world.define(WEB, { job: job(EVERY_MINUTE), enabled: false }, 'hash-1');
    await world.pass(3 * MINUTE_MS);
    expect(phase()).toBe('DISABLED');
    expect(starts()).toBe(0);
    expect(world.machine.slots.at(-1)).toMatchObject({ outcome: 'skipped', slots: 3 });
    expect(world.machine.slots.at(-1)?.reason).toBe('global.enabled is false');
  });

  it('is run at once for an operator, without shifting its schedule', async () => {
    begin({ schedule: '0 * * * *' });
    await world.pass(1_000);
    world.ask(WEB, 'run');
    await world.pass(10_000);
    expect(starts()).toBe(1);
    expect(phase()).toBe('SCHEDULED');
    await world.pass(30_000);
    expect(starts()).toBe(2);
    expect(slots()).toEqual(['12:00 ok']);
  });

  it('is not run again for a start that came while it ran', async () => {
    begin({ schedule: '0 * * * *' });
    await world.pass(31_000);
    world.ask(WEB, 'run');
    await world.pass(MINUTE_MS);
    expect(starts()).toBe(1);
  });

  it('is not run by a new daemon for a start that has had its run', async () => {
    begin({ schedule: '0 * * * *' });
    await world.pass(1_000);
    world.ask(WEB, 'run');
    await world.pass(10_000);
    await world.reboot();
    await world.pass(10_000);
    expect(starts()).toBe(1);
  });

  it('is replaced by a restart', async () => {
    begin({ schedule: '0 * * * *' });
    await world.pass(31_000);
    world.ask(WEB, 'run', true);
    await world.pass(10_000);
    expect(starts()).toBe(2);
    expect(slots()).toEqual(['12:00 stopped']);
    expect(phase()).toBe('SCHEDULED');
  });

  it('has no slots before and after its bounds', async () => {
    const bounds = { notBefore: '2026-01-15 12:02:00', notAfter: '2026-01-15 12:03:00' };
    await begin({ ...EVERY_MINUTE, ...bounds }).pass(5 * MINUTE_MS);
    expect(starts()).toBe(2);
    expect(slots()).toEqual([
      ...['12:00 skipped', '12:00-12:01 skipped', '12:02 ok', '12:03 ok', '12:04 skipped'],
    ]);
  });

  it('takes over another schedule while it is there, from then on', async () => {
    begin({ schedule: '0 0 * * *' });
    await world.pass(10_000);
    world.define(WEB, { job: job({ schedule: '1 12 * * *' }) }, 'hash-1');
    await world.pass(2 * MINUTE_MS);
    expect(slots()).toEqual(['12:01 ok']);
  });

  it('is not cut short by an edit of its command', async () => {
    begin({ schedule: '0 * * * *' });
    await world.pass(31_000);
    world.define(WEB, { job: job({ schedule: '0 * * * *' }), startCommand: ['./other'] });
    await world.pass(10_000);
    expect(world.machine.actions).not.toContain('signal web');
    expect(slots()).toEqual(['12:00 ok']);
  });

  it('is tried again after a failure, and the last try counts', async () => {
    begin({ schedule: '0 * * * *', retries: 2, retryDelayMs: 20_000 });
    world.machine.setTemper(WEB, { livesMs: 1_000, exitCode: 1 });
    await world.pass(32_000);
    expect(phase()).toBe('BACKOFF');
    world.machine.setTemper(WEB, { livesMs: 1_000, exitCode: 0 });
    await world.pass(25_000);
    expect(slots()).toEqual(['12:00 ok']);
    expect(world.machine.slots.at(-1)).toMatchObject({ tries: 2, run: 2 });
    await world.pass(5 * MINUTE_MS);
    expect(starts()).toBe(2);
  });

  it('is tried no more often than it says', async () => {
    begin({ schedule: '0 * * * *', retries: 2, retryDelayMs: 20_000 });
    world.machine.setTemper(WEB, { livesMs: 1_000, exitCode: 1 });
    await world.pass(10 * MINUTE_MS);
    expect(starts()).toBe(3);
    expect(slots()).toEqual(['12:00 failed']);
  });

  it('is not tried again when its next slot came meanwhile', async () => {
    begin({ schedule: '* * * * *', retries: 5, retryDelayMs: 10 * MINUTE_MS });
    world.machine.setTemper(WEB, { livesMs: 1_000, exitCode: 1 });
    await world.pass(2 * MINUTE_MS);
    expect(slots()).toEqual(['12:00 failed']);
    expect(starts()).toBe(2);
  });

  it('waits out the delay of a retry across a restart of the daemon', async () => {
    begin({ schedule: '0 * * * *', retries: 1, retryDelayMs: 60_000 });
    world.machine.setTemper(WEB, { livesMs: 1_000, exitCode: 1 });
    await world.pass(40_000);
    await world.reboot();
    await world.pass(40_000);
    expect(starts()).toBe(1);
    await world.pass(20_000);
    expect(starts()).toBe(2);
  });

  it('is not tried again once an operator stopped it', async () => {
    begin({ schedule: '0 * * * *', retries: 5, retryDelayMs: 20_000 });
    world.machine.setTemper(WEB, { livesMs: 1_000, exitCode: 1 });
    await world.pass(35_000);
    world.ask(WEB, 'stop');
    await world.pass(60_000);
    expect(starts()).toBe(1);
    expect(slots()).toEqual(['12:00 failed']);
  });

  it('without a success for too long is overdue until the next one', async () => {
    begin({ schedule: '*/10 * * * *', expectWithinMs: 15 * MINUTE_MS });
    world.machine.setTemper(WEB, { livesMs: 1_000, exitCode: 1 });
    await world.pass(14 * MINUTE_MS);
    expect(conditions()).not.toContain('Overdue');
    await world.pass(2 * MINUTE_MS);
    expect(conditions()).toContain('Overdue');
    expect(world.machine.events.filter((event) => event === 'web job.overdue')).toHaveLength(1);
    world.machine.setTemper(WEB, { livesMs: 1_000 });
    await world.pass(10 * MINUTE_MS);
    expect(conditions()).not.toContain('Overdue');
    expect(world.machine.events).toContain('web job.recovered');
  });

  it('begins later by its jitter, always the same', async () => {
    begin({ schedule: '0 * * * *', jitterMs: 10 * MINUTE_MS });
    await world.pass(30_000);
    expect(starts()).toBe(0);
    await world.pass(10 * MINUTE_MS);
    expect(starts()).toBe(1);
    const began = world.machine.histories.get(WEB)?.run?.launchedAt.wallMs ?? 0;
    const offsetMs = began - BEFORE_NOON - 30_000;
    await world.pass(HOUR_MS);
    const second = world.machine.histories.get(WEB)?.run?.launchedAt.wallMs ?? 0;
    expect(second - began).toBeCloseTo(HOUR_MS, -2);
    expect(offsetMs).toBeGreaterThan(0);
    expect(slots()).toEqual(['12:00 ok', '13:00 ok']);
  });

  it('repeats no slot when the clock is set back', async () => {
    begin();
    await world.pass(3 * MINUTE_MS);
    expect(slots()).toEqual(['12:00 ok', '12:01 ok', '12:02 ok']);
    world.clock.stepWall(-2 * MINUTE_MS);
    await world.pass(2 * MINUTE_MS);
    expect(starts()).toBe(3);
    await world.pass(MINUTE_MS);
    expect(slots().at(-1)).toBe('12:03 ok');
    expect(starts()).toBe(4);
  });

  it('notices within half a minute that the clock was set forward', async () => {
    begin({ schedule: '0 * * * *' });
    await world.pass(10_000);
    world.clock.stepWall(20_000);
    await world.pass(30_000);
    expect(slots()).toEqual(['12:00 ok']);
  });

  it('that becomes a service is started, and one that becomes a job is left to end', async () => {
    begin({ schedule: '0 0 * * *' });
    world.machine.setTemper(WEB, { livesMs: 20_000 });
    await world.pass(1_000);
    world.define(WEB, {}, 'hash-1');
    await world.pass(1_000);
    expect(phase()).toBe('RUNNING');
    world.define(WEB, { job: job({ schedule: '0 0 * * *' }) }, 'hash-1');
    await world.pass(MINUTE_MS);
    expect(world.machine.actions).not.toContain('signal web');
    expect(starts()).toBe(1);
    expect(phase()).toBe('SCHEDULED');
  });

  it('that is not defined any more is stopped and forgotten', async () => {
    begin();
    await world.pass(31_000);
    world.remove(WEB);
    await world.pass(5 * MINUTE_MS);
    expect(world.store.status(WEB)).toBeNull();
    expect(starts()).toBe(1);
  });

  it('acts on nothing while its cgroup cannot be read', async () => {
    begin();
    await world.pass(20_000);
    world.machine.unreadable = true;
    await world.pass(2 * MINUTE_MS);
    expect(starts()).toBe(0);
    world.machine.unreadable = false;
    await world.pass(2_000);
    expect(slots()).toEqual(['12:00 missed']);
    expect(starts()).toBe(1);
  });
});
