import { expect, test } from 'vitest';
import { COMMON_OPTIONS } from '../../src/cli/command.ts';
import { SHOWN_COMMANDS } from '../../src/cli/commands.ts';
import { formatSpan } from '../../src/cli/format-time.ts';
import { renderError } from '../../src/cli/render-error.ts';
import { renderEventLine, renderEvents } from '../../src/cli/render-events.ts';
import { renderCommandHelp, renderOverview } from '../../src/cli/render-help.ts';
import { renderLogs } from '../../src/cli/render-logs.ts';
import { exitCodeOfOutcomes, renderDone, renderNotDone } from '../../src/cli/render-outcomes.ts';
import { exitCodeOfUpdate, renderTroubles, renderUpdate } from '../../src/cli/render-update.ts';
import type { Outcome } from '../../src/rpc/contract.ts';
import { NOON, view } from './rows.ts';

test.for([
  [0, '0s'],
  [999, '0s'],
  [1_000, '1s'],
  [59_999, '59s'],
  [60_000, '1m'],
  [725_000, '12m5s'],
  [7_205_000, '2h'],
  [274_000_000, '3d4h'],
] as const)('%i ms read as %s', ([ms, text]) => {
  expect(formatSpan(ms)).toBe(text);
});

const outcome = (name: string, kind: Outcome['outcome'], message: string): Outcome => ({
  name,
  ok: kind === 'done' || kind === 'unchanged',
  outcome: kind,
  message,
  stop: null,
});

test('what was done goes to stdout, what was not to stderr with the next step', () => {
  const outcomes = [
    outcome('db', 'done', 'stopped: 3 processes ended by themselves, 1 killed'),
    outcome('web', 'failed', 'exit code 3\n\x1b[2Jmore'),
  ];
  expect(renderDone(outcomes)).toBe('db: stopped: 3 processes ended by themselves, 1 killed\n');
  expect(renderNotDone('stop', outcomes)).toBe(
    "pmctl: cannot stop 'web': exit code 3 ␛[2Jmore\n  see: pmctl status web\n",
  );
  expect(renderNotDone('stop', [])).toBe('');
});

test.for([
  [['done', 'unchanged'], 0],
  [['done', 'failed'], 1],
  [['done', 'refused'], 1],
  [['done', 'timeout'], 7],
  [['failed', 'timeout'], 1],
] as const)('%j exits with %i', ([kinds, code]) => {
  expect(exitCodeOfOutcomes(kinds.map((kind) => outcome('web', kind, '')))).toBe(code);
});

const report = {
  accepted: ['db', 'web'],
  changed: [],
  removed: ['old'],
  problems: [],
  conflicts: [],
  brakes: [],
  contents: [],
};
const problem = { file: '/c/a.yaml', line: 3, column: 5, key_path: 'process.user', message: 'no' };
const conflict = { name: 'twin', files: ['/c/a.yaml', '/c/b.yaml'] };
const brake = { source: 'config:/c', reason: '3 of 4 are gone', held: ['a', 'b', 'c'] };

test('an update tells what changed and, apart from that, what is wrong', () => {
  expect(renderUpdate(report)).toBe('new: db, web\nremoved: old\n');
  expect(renderUpdate({ ...report, accepted: [], removed: [] })).toBe('nothing changed\n');
  const sources = [{ path: 'process.environment[TOKEN]', reference: '@file:///run/token' }];
  const contents = [{ name: 'web', sources }];
  expect(renderUpdate({ ...report, accepted: [], removed: [], contents })).toBe(
    'web: process.environment[TOKEN]: content of @file:///run/token changed\n',
  );
  const troubled = { ...report, problems: [problem], conflicts: [conflict], brakes: [brake] };
  expect(renderTroubles(troubled)).toBe(
    `pmctl: /c/a.yaml:3:5: process.user: no
pmctl: 'twin' is defined more than once: /c/a.yaml, /c/b.yaml (keep one)
pmctl: 3 of 4 are gone; still defined: a, b, c (pmctl update --prune stops them)
`,
  );
});

test.for([
  [{}, 0],
  [{ problems: [problem] }, 9],
  [{ conflicts: [conflict] }, 1],
  [{ brakes: [brake], problems: [problem] }, 1],
] as const)('an update with %j exits with %i', ([changes, code]) => {
  expect(exitCodeOfUpdate({ ...report, ...changes })).toBe(code);
});

test('events are a table whose messages are wrapped in their column', () => {
  const event = { seq: 1, at_ms: NOON, data: {}, actor: 'local' };
  const events = [
    { ...event, service: null, kind: 'operator.update', message: 'update requested by local' },
    { ...event, service: 'web', kind: 'service.ended', message: 'exit code 3' },
  ];
  expect(renderEvents(events, view({ columns: 72 }))).toBe(
    `TIME                 SERVICE  EVENT            BY     MESSAGE
2026-01-15 12:00:00  -        operator.update  local  update requested
                                                      by local
2026-01-15 12:00:00  web      service.ended    local  exit code 3
`,
  );
  expect(renderEvents([], view())).toBe('no events\n');
});

test('events that are followed are lines of their own', () => {
  const event = { seq: 1, at_ms: NOON, data: {}, actor: 'local' };
  const ended = { ...event, service: 'web', kind: 'service.ended', message: 'exit\ncode 3' };
  expect(renderEventLine(ended, view({ columns: 40 }))).toBe(
    '2026-01-15 12:00:00  web               service.ended           local       exit code 3\n',
  );
});

test('log lines of one file stand alone, of several under their names', () => {
  const plain = { columns: 80, colours: false };
  const out = { path: '/l/out.log', lines: ['one', '\x1b[31mtwo\x1b[0m'], truncated: false };
  const err = { path: '/l/err.log', lines: ['bad \x1b[2J'], truncated: false };
  const empty = { path: '/l/empty.log', lines: [], truncated: false };
  expect(renderLogs([out, empty], plain)).toBe('one\ntwo\n');
  expect(renderLogs([out, err], plain)).toBe(
    '==> /l/out.log <==\none\ntwo\n\n==> /l/err.log <==\nbad ␛[2J\n',
  );
  expect(renderLogs([out], { ...plain, colours: true })).toContain('\x1b[31mtwo\x1b[0m');
  expect(renderLogs([empty], plain)).toBe('');
});

test('an error says what failed, then the next step', () => {
  const message = "cannot find service 'x': no definition has that name";
  expect(renderError({ code: 'not_found', message, command: null })).toBe(
    `pmctl: ${message}\n  see: pmctl status\n`,
  );
  expect(renderError({ code: 'invalid_argument', message: 'no', command: 'start' })).toBe(
    'pmctl: no\n  see: pmctl help start\n',
  );
  const unreachable = renderError({ code: 'unreachable', message: 'no', command: null });
  for (const way of ['--sock', 'PMCTL_SOCK', '/run/processmaster/processmaster.sock']) {
    expect(unreachable).toContain(way);
  }
  expect(renderError({ code: 'io', message: 'no', command: null })).toBe('pmctl: no\n');
});

test('help names every command, and for each its options and an example', () => {
  const overview = renderOverview(SHOWN_COMMANDS, COMMON_OPTIONS);
  for (const command of SHOWN_COMMANDS) {
    expect(overview).toContain(`  ${command.name} `);
    const text = renderCommandHelp(command, COMMON_OPTIONS);
    for (const option of Object.keys({ ...command.options, ...COMMON_OPTIONS })) {
      expect(text).toContain(`--${option} `);
    }
    expect(text).toContain(`example: ${command.example}\n`);
  }
});
