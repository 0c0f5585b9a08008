import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { keepWithinBounds } from '../../src/daemon/retention.ts';
import { Journal } from '../../src/journal/journal.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

function world(maxBytes = 64 << 20) {
  const directory = mkdtempSync(join(tmpdir(), 'retention-'));
  const clock = new FakeClock();
  const journal = Journal.open(directory, { maxAgeMs: 2 * HOUR_MS, maxBytes, clock });
  const stop = keepWithinBounds(journal, clock);
  onTestFinished(() => {
    journal.close();
    rmSync(directory, { recursive: true });
  });
  const happen = (message: string) =>
    journal.appendEvent({
      ...{ atMs: clock.wallMs(), service: null, kind: 'x.y', actor: 'a', data: {} },
      message,
    });
  const kept = () => journal.events({ limit: 100_000 }).map(({ message }) => message);
  return { clock, stop, happen, kept };
}

test('what is too old goes every hour', () => {
  const { clock, happen, kept } = world();
  happen('old');
  clock.advance(2 * HOUR_MS - MINUTE_MS);
  happen('new');
  expect(kept()).toEqual(['old', 'new']);
  clock.advance(HOUR_MS + MINUTE_MS);
  expect(kept()).toEqual(['new']);
});

test('what is too much goes every hour, and sooner when much happens', () => {
  const { clock, happen, kept } = world(300_000);
  for (let at = 1; at <= 2_000; at += 1) happen(`${at} ${'x'.repeat(200)}`);
  clock.advance(2 * MINUTE_MS);
  expect(kept()).toHaveLength(2_000);
  clock.advance(HOUR_MS);
  const afterAnHour = kept().length;
  expect(afterAnHour).toBeLessThan(1_500);
  for (let at = 1; at <= 5_000; at += 1) happen(`${at} ${'x'.repeat(200)}`);
  clock.advance(MINUTE_MS);
  expect(kept().length).toBeLessThan(1_500);
  expect(kept().at(-1)).toMatch(/^5000 /);
});

test('nothing is removed any more once it has ended', () => {
  const { clock, stop, happen, kept } = world();
  happen('old');
  stop();
  clock.advance(9 * HOUR_MS);
  expect(kept()).toEqual(['old']);
});
