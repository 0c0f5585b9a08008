import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal, type JournalOptions } from '../../src/journal/journal.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { ServiceEvent } from '../../src/model/event.ts';
import type { Intent } from '../../src/model/intent.ts';
import { parseServiceName, type ServiceName } from '../../src/model/service-name.ts';

const web = serviceName('web');
const db = serviceName('db');
const DAY_MS = 86_400_000;

let root: string;
let directory: string;
let nowMs: number;
let opened: Journal[];
let mounted: string[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'journal-'));
  directory = join(root, 'journal');
  mkdirSync(directory);
  nowMs = 1_000_000;
  opened = [];
  mounted = [];
});

afterEach(() => {
  for (const journal of opened) journal.close();
  for (const path of mounted) execFileSync('umount', [path]);
  rmSync(root, { recursive: true, force: true });
});

describe('Journal', () => {
  it('gives events growing numbers, also after it was closed and opened again', () => {
    const first = open();
    expect([first.appendEvent(event(web, 'a')), first.appendEvent(event(null, 'b'))]).toEqual([
      1, 2,
    ]);
    first.close();
    const second = open();
    expect(second.appendEvent(event(web, 'c'))).toBe(3);
    expect(second.events({ limit: 10 }).map(({ seq, message }) => [seq, message])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ]);
  });

  it('returns events as they were recorded, newest last', () => {
    const journal = open();
    const data = { run: 7, signal: 'SIGKILL', ours: false, code: null };
    journal.appendEvent({ ...event(web, 'died'), data });
    expect(journal.events({ limit: 1 })).toEqual([{ ...event(web, 'died'), data, seq: 1 }]);
  });

  it('selects events of one service, the newest ones, or the oldest after a number', () => {
    const journal = open();
    for (const at of [1, 2, 3, 4]) {
      journal.appendEvent(event(web, `web ${at}`));
      journal.appendEvent(event(db, `db ${at}`));
    }
    expect(messages(journal, { service: db, limit: 2 })).toEqual(['db 3', 'db 4']);
    expect(messages(journal, { limit: 2, afterSeq: 3 })).toEqual(['db 2', 'web 3']);
    expect(messages(journal, { limit: 9, sinceMs: nowMs + 1 })).toEqual([]);
    expect(messages(journal, { limit: 1, sinceMs: nowMs })).toEqual(['db 4']);
    expect(messages(journal, { service: web, limit: 9, afterSeq: 3 })).toEqual(['web 3', 'web 4']);
    expect(messages(journal, { limit: 0 })).toEqual([]);
  });

  it('loses nothing of a turn that was over when the daemon was killed', () => {
    const script = `
      import { Journal } from '${join(import.meta.dirname, '../../src/journal/journal.ts')}';
      import { systemClock as clock } from '${join(import.meta.dirname, '../../src/lib/clock.ts')}';
      const journal = Journal.open(process.argv[1], { maxAgeMs: 1e9, maxBytes: 1e9, clock });
      for (let at = 1; at <= 50; at += 1)
        journal.appendEvent({ atMs: 1, service: null, kind: 'k', message: String(at), actor: 'a', data: {} });
      setImmediate(() => process.kill(process.pid, 'SIGKILL'));`;
    const args = ['--input-type=module', '--eval', script, directory];
    expect(() => execFileSync(process.execPath, args)).toThrow(/SIGKILL|Command failed/);
    const journal = open();
    expect(journal.events({ limit: 100 })).toHaveLength(50);
    expect(journal.appendEvent(event(web, 'next'))).toBe(51);
  });

  it('keeps intents for the boot they were given in, and no longer', () => {
    const journal = open();
    journal.saveIntent(web, intent(1), 'boot 1');
    journal.saveIntent(web, intent(3), 'boot 1');
    journal.saveIntent(db, intent(2), 'boot 1');
    journal.saveIntent(db, null, 'boot 1');
    journal.close();
    expect(open().loadIntents('boot 1')).toEqual([[web, intent(3)]]);
    const nextBoot = open();
    expect(nextBoot.loadIntents('boot 2')).toEqual([]);
    expect(nextBoot.loadIntents('boot 1')).toEqual([]);
  });

  it('leaves out an intent that is not one', () => {
    const journal = open();
    journal.saveIntent(web, intent(1), 'boot');
    journal.saveIntent(db, intent(2), 'boot');
    journal.close();
    inDatabase(`UPDATE intents SET intent = '{"id":1}' WHERE service = 'web'`);
    expect(open().loadIntents('boot')).toEqual([[db, intent(2)]]);
  });

  it('never gives an intent id or takes a generation below one it knew', () => {
    const journal = open();
    expect([journal.nextIntentId(), journal.nextIntentId()]).toEqual([1, 2]);
    journal.raiseIntentId(40);
    journal.raiseIntentId(7);
    journal.saveGeneration(web, 5);
    journal.close();
    const next = open();
    expect(next.nextIntentId()).toBe(41);
    expect([next.lastGeneration(web), next.lastGeneration(db)]).toEqual([5, 0]);
  });

  it('joins the start and the end of a run, and counts runs by service', () => {
    const journal = open();
    journal.recordRunStarted(web, 1, 100, 'it is enabled');
    journal.recordRunEnded(web, 1, 250, { kind: 'exited', code: 3 });
    journal.recordRunStarted(web, 2, 300, 'restarted');
    const ended = {
      service: web,
      run: 1,
      startedAtMs: 100,
      endedAtMs: 250,
      reason: 'it is enabled',
    };
    expect(journal.runs(web, 5)[0]).toEqual({ ...ended, exit: { kind: 'exited', code: 3 } });
    expect(journal.runs(web, 1)).toMatchObject([{ run: 2, endedAtMs: null, exit: null }]);
    expect([journal.lastRunNumber(web), journal.lastRunNumber(db)]).toEqual([2, 0]);
  });

  it('removes what is too old, but keeps the number of the last run', () => {
    const journal = open({ maxAgeMs: DAY_MS });
    journal.appendEvent({ ...event(web, 'old'), atMs: 1 });
    journal.appendEvent({ ...event(web, 'new'), atMs: DAY_MS });
    for (const run of [1, 2]) {
      journal.recordRunStarted(web, run, run, 'x');
      journal.recordRunEnded(web, run, run, null);
    }
    journal.prune(DAY_MS + 10);
    expect(messages(journal, { limit: 9 })).toEqual(['new']);
    expect(journal.runs(web, 9).map(({ run }) => run)).toEqual([2]);
    journal.prune(9 * DAY_MS);
    expect(messages(journal, { limit: 9 })).toEqual([]);
    expect([journal.lastRunNumber(web), journal.appendEvent(event(web, 'x'))]).toEqual([2, 3]);
  });

  it('removes the oldest events until the file is small enough, and gives the space back', () => {
    const journal = open({ maxBytes: 300_000 });
    for (let at = 1; at <= 4_000; at += 1)
      journal.appendEvent(event(web, `${at} ${'x'.repeat(200)}`));
    journal.prune(nowMs);
    const left = journal.events({ limit: 10_000 });
    expect(left.length).toBeGreaterThan(0);
    expect(left.at(-1)?.seq).toBe(4_000);
    journal.close();
    expect(statSync(file()).size).toBeLessThanOrEqual(300_000 + 4_096);
  });

  it('keeps folder and file from everyone but root', () => {
    directory = join(root, 'state');
    open().appendEvent(event(web, 'a'));
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(statSync(`${file()}-wal`).mode & 0o777).toBe(0o600);
  });

  it('leaves a journal of a newer version alone and goes on in memory', () => {
    const older = open();
    older.saveIntent(web, intent(1), 'boot');
    older.close();
    inDatabase('PRAGMA user_version = 999');
    const before = readFileSync(file());
    const journal = open();
    expect(journal.health).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/999.*newer/),
    });
    expect(journal.loadIntents('boot')).toEqual([]);
    expect(journal.appendEvent(event(web, 'a'))).toBe(1);
    journal.saveIntent(web, intent(7), 'boot');
    nowMs += 60_000;
    expect(messages(journal, { limit: 9 })).toEqual(['a']);
    expect(journal.loadIntents('boot')).toEqual([[web, intent(7)]]);
    journal.close();
    expect(readFileSync(file()).equals(before)).toBe(true);
  });

  it('neither reads nor writes where others may write', () => {
    const before = open();
    before.saveIntent(web, intent(1), 'boot');
    before.close();
    const files = readdirSync(directory);
    chownSync(directory, 65_534, 65_534);
    const journal = open();
    journal.appendEvent(event(web, 'a'));
    expect(journal.health.reason).toContain(`others than root may write to '${directory}'`);
    expect(journal.loadIntents('boot')).toEqual([]);
    chownSync(directory, 0, 0);
    nowMs += 60_000;
    journal.appendEvent(event(web, 'b'));
    expect(journal.health.ok).toBe(false);
    expect(messages(journal, { limit: 9 })).toEqual(['a', 'b']);
    journal.close();
    expect(readdirSync(directory)).toEqual(files);
  });

  it.each(['ended', 'was killed'])(
    'knows what a daemon that %s left where it cannot write',
    (end) => {
      mountTmpfs('size=1m');
      leaveBehind(end === 'was killed');
      execFileSync('mount', ['-o', 'remount,ro', directory]);
      const journal = open();
      expect(journal.health.reason).toContain('Read-only file system (EROFS)');
      expect(journal.loadIntents('boot')).toEqual([[web, intent(1)]]);
      expect(journal.appendEvent(event(web, 'in memory'))).toBe(3);
      expect(messages(journal, { limit: 9 })).toEqual(['a', 'b', 'in memory']);
      execFileSync('mount', ['-o', 'remount,rw', directory]);
      nowMs += 2_000;
      expect(journal.health).toEqual({ ok: true, reason: '', droppedEvents: 0 });
      journal.close();
      expect(messages(open(), { limit: 9 })).toEqual(['a', 'b', 'in memory']);
    },
  );

  it('knows what an earlier daemon left on a disk that is full', () => {
    mountTmpfs('size=1m');
    leaveBehind(false);
    const ballast = join(directory, 'ballast');
    expect(() => writeFileSync(ballast, Buffer.alloc(2 * 1024 * 1024))).toThrow(/ENOSPC/);
    const journal = open();
    expect(journal.health.ok).toBe(false);
    expect(journal.loadIntents('boot')).toEqual([[web, intent(1)]]);
    expect(journal.appendEvent(event(web, 'c'))).toBe(3);
    rmSync(ballast);
    nowMs += 2_000;
    expect(journal.health.ok).toBe(true);
    expect(messages(journal, { limit: 9 })).toEqual(['a', 'b', 'c']);
  });

  it('tries again by itself, and tells when it fails, when it works again and what it set aside', () => {
    const timers: (() => void)[] = [];
    const clock: Clock = {
      wallMs: () => nowMs,
      monotonicMs: () => nowMs,
      schedule: (_delayMs, callback) => {
        timers.push(callback);
        return () => {};
      },
    };
    rmSync(directory, { recursive: true });
    writeFileSync(directory, 'in the way');
    const journal = open({ clock });
    const told: unknown[] = [];
    journal.watch({
      onHealth: ({ ok }) => told.push(ok),
      onSetAside: (path) => told.push(path),
    });
    journal.appendEvent(event(web, 'a'));
    timers.pop()?.();
    expect(told).toEqual([false]);
    rmSync(directory);
    timers.pop()?.();
    expect(told).toEqual([false, true]);
    expect(messages(journal, { limit: 9 })).toEqual(['a']);
    journal.close();
    writeFileSync(file(), 'garbage '.repeat(1_000));
    const next = open({ clock });
    next.watch({ onHealth: () => {}, onSetAside: (path) => told.push(path) });
    expect(told.at(-1)).toBe(`${file()}.corrupt-1`);
  });

  it('keeps the flags of a service across reboots, as they were set last', () => {
    const flag = (name: string, expiresAtMs: number | null) => ({
      ...{ name, expiresAtMs, setAtMs: 5, actor: 'ann' },
    });
    const journal = open();
    journal.saveFlags(web, [flag('a', null), flag('b', 9_000)]);
    journal.saveFlags(db, [flag('c', null)]);
    journal.saveFlags(web, [flag('b', null)]);
    journal.saveFlags(db, []);
    journal.close();
    inDatabase("INSERT INTO flags VALUES ('web', 'not a flag', NULL, 1, 'x')");
    expect(open().loadFlags()).toEqual([[web, [flag('b', null)]]]);
  });

  it('sets a file that is no journal aside, says so and begins anew', () => {
    writeFileSync(file(), 'garbage '.repeat(1_000));
    const journal = open();
    expect(journal.setAside).toEqual([`${file()}.corrupt-1`]);
    expect(readFileSync(`${file()}.corrupt-1`, 'utf8')).toContain('garbage');
    journal.appendEvent(event(web, 'a'));
    expect(messages(journal, { limit: 9 })).toEqual(['a']);
    expect(journal.health.ok).toBe(true);
  });

  it('sets a journal aside whose damage shows only later, without losing the event at hand', () => {
    const before = open();
    for (let at = 0; at < 500; at += 1) before.appendEvent(event(web, `${at} ${'x'.repeat(200)}`));
    before.close();
    const bytes = readFileSync(file());
    bytes.fill(0xff, 4_096);
    writeFileSync(file(), bytes);
    const journal = open();
    expect(journal.nextIntentId()).toBe(1);
    journal.appendEvent(event(web, 'after the damage'));
    expect(journal.nextIntentId()).toBe(2);
    expect(journal.setAside).toEqual([`${file()}.corrupt-1`]);
    expect(messages(journal, { limit: 9 })).toEqual(['after the damage']);
  });

  it('opens with a truncated or garbage write-ahead log and keeps what was committed before', () => {
    const before = open();
    before.appendEvent(event(web, 'a'));
    before.close();
    appendFileSync(`${file()}-wal`, Buffer.alloc(5_000, 0xab));
    const journal = open();
    expect(messages(journal, { limit: 9 })).toEqual(['a']);
    expect(journal.health.ok).toBe(true);
  });

  it('goes on in memory while the disk is full, and writes it all when there is space again', () => {
    mountTmpfs('size=256k');
    const journal = open();
    const ballast = join(directory, 'ballast');
    const first = journal.appendEvent(event(web, 'before'));
    for (const id of [1, 2, 3]) expect(journal.nextIntentId()).toBe(id);
    expect(() => writeFileSync(ballast, Buffer.alloc(1024 * 1024))).toThrow(/ENOSPC/);
    let last = first;
    while (journal.health.ok) last = journal.appendEvent(event(web, 'x'.repeat(2_000)));
    journal.saveIntent(web, intent(4), 'boot');
    journal.recordRunStarted(web, 9, 1, 'x');
    expect(journal.health.reason).toContain(directory);
    expect(journal.loadIntents('boot')).toEqual([[web, intent(4)]]);
    expect(journal.lastRunNumber(web)).toBe(9);
    expect(journal.nextIntentId()).toBe(4);
    const seen = journal.events({ limit: 9_999 }).map(({ seq }) => seq);
    expect(seen).toEqual(Array.from({ length: last }, (_, at) => at + 1));

    rmSync(ballast);
    nowMs += 2_000;
    journal.appendEvent(event(web, 'after'));
    expect(journal.health).toEqual({ ok: true, reason: '', droppedEvents: 0 });
    journal.close();
    const next = open();
    expect(next.events({ limit: 9_999 }).map(({ seq }) => seq)).toEqual(
      Array.from({ length: last + 1 }, (_, at) => at + 1),
    );
    expect(next.loadIntents('boot')).toEqual([[web, intent(4)]]);
    expect(next.lastRunNumber(web)).toBe(9);
  });

  it('keeps the last 1,000 events where it cannot write at all, and counts the others', () => {
    mountTmpfs('ro');
    const journal = open();
    for (let at = 1; at <= 1_200; at += 1) journal.appendEvent(event(web, `${at}`));
    const kept = journal.events({ limit: 5_000 });
    expect([kept.length, kept[0]?.message]).toEqual([1_000, '201']);
    expect(journal.health).toMatchObject({ ok: false, droppedEvents: 200 });
    expect([journal.nextIntentId(), journal.nextIntentId()]).toEqual([1, 2]);
  });

  it('numbers events of a time without a file after those that it finds there', () => {
    const before = open();
    for (const text of ['a', 'b', 'c']) before.appendEvent(event(web, text));
    before.nextIntentId();
    before.close();
    renameSync(directory, `${directory}-hidden`);
    writeFileSync(directory, 'in the way');
    const journal = open();
    expect([journal.appendEvent(event(web, 'd')), journal.health.ok]).toEqual([1, false]);
    rmSync(directory);
    renameSync(`${directory}-hidden`, directory);
    nowMs += 2_000;
    journal.appendEvent(event(web, 'e'));
    expect(journal.health.ok).toBe(true);
    expect(journal.events({ limit: 1 })[0]?.seq).toBe(5);
    expect(messages(journal, { limit: 9 })).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(journal.nextIntentId()).toBe(2);
  });
});

function open(options: Partial<JournalOptions> = {}): Journal {
  const clock: Clock = { wallMs: () => nowMs, monotonicMs: () => nowMs, schedule: () => () => {} };
  const journal = Journal.open(directory, {
    ...{ maxAgeMs: 30 * DAY_MS, maxBytes: 64 * 1024 * 1024, clock },
    ...options,
  });
  opened.push(journal);
  return journal;
}

/** What an earlier daemon wrote: two events and an intent. */
function leaveBehind(isKilled: boolean): void {
  const script = `
    import { Journal } from '${join(import.meta.dirname, '../../src/journal/journal.ts')}';
    import { systemClock as clock } from '${join(import.meta.dirname, '../../src/lib/clock.ts')}';
    const journal = Journal.open(process.argv[1], { maxAgeMs: 1e9, maxBytes: 1e9, clock });
    for (const message of ['a', 'b'])
      journal.appendEvent({ atMs: 1, service: null, kind: 'k', message, actor: 'a', data: {} });
    journal.saveIntent('web', ${JSON.stringify(intent(1))}, 'boot');
    if (${isKilled}) process.kill(process.pid, 'SIGKILL');
    journal.close();`;
  const args = ['--input-type=module', '--eval', script, directory];
  const run = () => execFileSync(process.execPath, args, { stdio: 'ignore' });
  if (isKilled) expect(run).toThrow(/SIGKILL|Command failed/);
  else run();
}

function file(): string {
  return join(directory, 'journal.sqlite');
}

function inDatabase(sql: string): void {
  const database = new DatabaseSync(file());
  database.exec(sql);
  database.close();
}

function mountTmpfs(option: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `mode=0755,${option}`, 'tmpfs', directory]);
  mounted.push(directory);
}

function messages(journal: Journal, query: Parameters<Journal['events']>[0]): string[] {
  return journal.events(query).map(({ message }) => message);
}

function event(service: ServiceName | null, message: string): ServiceEvent {
  return { atMs: nowMs, service, kind: 'service.tested', message, actor: 'local', data: {} };
}

function intent(id: number): Intent {
  return {
    id,
    want: 'stop',
    forced: false,
    restart: false,
    actor: 'local',
    requestedAtMs: 5,
    reason: 'new disk',
    until: { wallMs: 10, monotonicMs: 20.5 },
  };
}

function serviceName(text: string): ServiceName {
  const name = parseServiceName(text);
  if (name === null) throw new Error(`not a service name: ${text}`);
  return name;
}
