import { expect, test } from 'vitest';
import { displayWidth } from '../../src/cli/display-width.ts';
import { renderWhy } from '../../src/cli/render-why.ts';
import { answer } from './explanations.ts';
import { NOON, view } from './rows.ts';

test('the answer comes first, then what it rests on', () => {
  expect(renderWhy(answer(), view())).toBe(
    `web is BACKOFF: it exited with code 3 after 0.2 s, 2nd time in a row; next start in 3.1 s

  wanted      run: it is enabled
  decided by  definition: global.enabled is true, /etc/pm/config.d/web.yaml:3, 2026-01-15 11:59:00 (1 m ago)
  definition  generation 4 of /etc/pm/config.d/web.yaml
  observed    STOPPED since 2026-01-15 11:59:59 (1.0 s ago), run 7
  last exit   exit code 3, run 7 after 0.2 s, 2026-01-15 11:59:59 (1.0 s ago)
  restarts    policy always, 3 in 3 m tolerated, 2 counted (11:59:55, 11:59:59)
  before      run 6: killed by SIGSEGV
  next        it is started again in 3.1 s, at 12:00:03
  way out     pmctl start web: starts it now and forgets the failures
              mend the file

last transitions
  2026-01-14 12:00:00  definition.accepted  generation 4 from /etc/pm/config.d/web.yaml
  11:59:59             ended                exit code 3

stderr, /srv/web/logs/stderr.log
  no database
`,
  );
});

test('a running service shows its processes and nothing about failures', () => {
  const running = answer({
    phase: 'RUNNING',
    summary: 'web is RUNNING: it is enabled',
    observed: {
      actual: 'RUNNING',
      processes: 6,
      pids: [1, 2, 3, 4, 5].map((pid) => ({ pid, command: `web ${pid}`, uptime_ms: pid * 1_000 })),
      main_pid: 1,
      since_ms: NOON - 192_000,
      run: 7,
    },
    last_exit: null,
    next: null,
    ways_out: [],
    transitions: [],
    stderr: { path: '/srv/web/logs/stderr.log', lines: [], error: null },
  });
  expect(renderWhy(running, view())).toBe(
    `web is RUNNING: it is enabled

  wanted      run: it is enabled
  decided by  definition: global.enabled is true, /etc/pm/config.d/web.yaml:3, 2026-01-15 11:59:00 (1 m ago)
  definition  generation 4 of /etc/pm/config.d/web.yaml
  observed    RUNNING since 2026-01-15 11:56:48 (3 m 12 s ago), run 7, 6 processes
  restarts    policy always, 3 in 3 m tolerated
  next        nothing is due until something changes

processes
  1 (main)  up 1.0 s  web 1
  2  up 2.0 s  web 2
  3  up 3.0 s  web 3
  4  up 4.0 s  web 4
  ... and 2 more
`,
  );
});

const line = (label: string, text: string) => text.split('\n').find((one) => one.includes(label));

test('an operator is named with the time, the end and the reason', () => {
  const { desired } = answer();
  const decided_by = {
    kind: 'operator',
    file: null,
    line: null,
    actor: 'ann',
    at_ms: NOON - 300_000,
    until_ms: NOON + 3_600_000,
    reason: 'new disk',
  } as const;
  const text = renderWhy(answer({ desired: { ...desired, wanted: 'stop', decided_by } }), view());
  expect(line('decided by', text)).toBe(
    '  decided by  operator ann: new disk, 2026-01-15 11:55:00 (5 m ago), until 2026-01-15 13:00:00',
  );
});

test('each place of a broken definition is shown, the first three of many', () => {
  const places = [1, 2, 3, 4, 5].map((number) => ({
    file: '/c/a.yaml',
    line: number === 1 ? null : number,
    column: number === 3 ? 8 : null,
    message: `wrong ${number}`,
  }));
  const trouble = { kind: 'invalid', at_ms: null, places } as const;
  const inForce = renderWhy(
    answer({ definition: { file: '/c/a.yaml', generation: 4, waiting: null, trouble } }),
    view(),
  );
  expect(inForce).toContain(`  definition  generation 4 of /c/a.yaml stays in force
  invalid     /c/a.yaml: wrong 1
              /c/a.yaml:2: wrong 2
              /c/a.yaml:3:8: wrong 3
              ... and 2 more
`);
  const never = renderWhy(
    answer({ definition: { file: null, generation: null, waiting: null, trouble } }),
    view(),
  );
  expect(line('  definition  ', never)).toBe('  definition  none is in force');
});

test('a definition that waits for an update says so', () => {
  const definition = {
    file: '/c/a.yaml',
    generation: 4,
    waiting: 'removed',
    trouble: null,
  } as const;
  expect(line('  definition  ', renderWhy(answer({ definition }), view()))).toBe(
    '  definition  generation 4 of /c/a.yaml stays in force, removed since, which waits for pmctl update',
  );
});

test('an end that was asked for says whose doing it was, and what had to be killed', () => {
  const { last_exit } = answer();
  const asked = last_exit && {
    ...last_exit,
    stopped_because: 'stopped by ann',
    killed: 2,
    run: null,
  };
  expect(line('last exit', renderWhy(answer({ last_exit: asked }), view()))).toBe(
    '  last exit   exit code 3, 2026-01-15 11:59:59 (1.0 s ago), asked to: stopped by ann, 2 killed after the grace',
  );
});

test('what comes next may come now, or at a time that is not known', () => {
  const next = { action: 'retry', message: 'it is tried again', in_ms: 0, at_ms: NOON } as const;
  expect(line('next  ', renderWhy(answer({ next }), view()))).toBe(
    '  next        it is tried again, now',
  );
  const someTime = { ...next, in_ms: null, at_ms: null };
  expect(line('next  ', renderWhy(answer({ next: someTime }), view()))).toBe(
    '  next        it is tried again',
  );
});

test('output of an earlier run is not taken for that of a start that failed', () => {
  const { last_exit } = answer();
  const failed = last_exit && { ...last_exit, kind: 'launch_failed' as const };
  expect(renderWhy(answer({ last_exit: failed }), view())).toContain(
    '\nstderr of earlier runs, /srv/web/logs/stderr.log\n',
  );
});

test('a log that cannot be read says so, and one that is nowhere is left out', () => {
  const stderr = { path: '/l', lines: [], error: 'it is a symbolic link' };
  expect(renderWhy(answer({ stderr }), view())).toContain(
    '\nstderr, /l\n  it is a symbolic link\n',
  );
  expect(renderWhy(answer({ stderr: null }), view())).not.toContain('stderr');
});

test('name and phase have their colours, and nothing else of the answer', () => {
  const [first] = renderWhy(answer(), view({ colours: true })).split('\n');
  expect(first).toBe(
    '\x1b[1mweb\x1b[0m is \x1b[33mBACKOFF\x1b[0m: it exited with code 3 after 0.2 s, 2nd time in a row; next start in 3.1 s',
  );
  const unseen = answer({ summary: 'web cannot be seen: no' });
  expect(renderWhy(unseen, view({ colours: true })).split('\n')[0]).toBe('web cannot be seen: no');
});

test('what services and operators wrote cannot take over the terminal', () => {
  const evil = '\x1b[2J\x1b]0;x\x07 a\nb';
  const { desired, observed } = answer();
  const text = renderWhy(
    answer({
      summary: evil,
      desired: { ...desired, because: evil, decided_by: { ...desired.decided_by, reason: evil } },
      observed: { ...observed, pids: [{ pid: 1, command: evil, uptime_ms: 0 }] },
      transitions: [{ at_ms: NOON, kind: 'service.x', message: evil, actor: evil }],
      ways_out: [{ command: null, hint: evil }],
      stderr: { path: evil, lines: [evil, '\x1b[31mred\x1b[0m'], error: null },
    }),
    view({ colours: false }),
  );
  const controls = [...text].filter((character) => character < ' ' && character !== '\n');
  expect(controls).toEqual([]);
  expect(text).toContain('  red\n');
});

test('the longest answer fits on a screen, and no wider than it', () => {
  const long = 'a long story that goes on '.repeat(40);
  const many = <T>(item: T) => Array.from({ length: 20 }, () => item);
  const { desired, restarts, last_exit } = answer();
  const place = { file: '/c/a.yaml', line: 1, column: 1, message: 'expected something else' };
  const text = renderWhy(
    answer({
      summary: long,
      definition: {
        file: '/c/a.yaml',
        generation: 4,
        waiting: null,
        trouble: { kind: 'invalid', at_ms: null, places: many(place) },
      },
      desired: { ...desired, because: long, decided_by: { ...desired.decided_by, reason: long } },
      last_exit: last_exit && { ...last_exit, decoded: long },
      transitions: many({ at_ms: NOON, kind: 'service.ended', message: long, actor: 'a' }),
      restarts: restarts && {
        ...restarts,
        at_ms: many(NOON),
        last_exits: many({ run: 1, message: long, at_ms: NOON }),
      },
      ways_out: many({ command: null, hint: long }),
      stderr: { path: '/l', lines: many(long), error: null },
    }),
    view({ columns: 80 }),
  );
  const lines = text.trimEnd().split('\n');
  expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(80);
  expect(lines.length).toBeLessThanOrEqual(42);
});

test('an everyday answer fits on the smallest screen', () => {
  const lines = renderWhy(answer(), view({ columns: 80 }))
    .trimEnd()
    .split('\n');
  expect(lines.length).toBeLessThanOrEqual(24);
});
