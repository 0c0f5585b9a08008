import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { renderStatus } from '../../src/cli/render-status.ts';
import { crashed, row, view } from './rows.ts';

test('one line a service, what matters below it', () => {
  const gone = 'the main process 1201 is gone (killed by SIGKILL), 2 processes live on';
  const rows = [
    crashed,
    row({
      pids: [1202, 1203],
      main_pid_gone: true,
      conditions: [
        { type: 'Populated', message: '2 processes' },
        { type: 'MainProcessGone', message: gone },
      ],
    }),
    row({
      application: 'idle',
      phase: 'STOPPED',
      pids: [],
      uptime_ms: null,
      conditions: [{ type: 'StoppedByOperator', message: 'stopped by local' }],
      last_exit: { kind: 'signaled', code: null, signal: 'SIGTERM', message: '', at_ms: 0 },
    }),
  ];
  expect(renderStatus(rows, [], view())).toBe(
    `NAME     PHASE    PIDS       UPTIME  RESTARTS  LAST EXIT
crasher  BACKOFF  -               -         2  exit code 3
    backoff: exit code 3; restart 2 of a series; next start in 1s
web      RUNNING  1202,1203   3m12s         0  -
    main process gone: ${gone}
idle     STOPPED  -               -         0  SIGTERM
`,
  );
});

test('warnings stand above everything, also where there is no service', () => {
  expect(renderStatus([], ['config:/c: the folder is gone'], view())).toBe(
    'warning: config:/c: the folder is gone\nno services are defined\n',
  );
});

test('a definition with many mistakes shows the first ones', () => {
  const message = ['a:1:1: one', 'a:2:1: two', 'a:3:1: three', 'a:4:1: four'].join('\n');
  const text = renderStatus(
    [row({ conditions: [{ type: 'DefinitionInvalid', message }] })],
    [],
    view(),
  );
  expect(text.split('\n').slice(2, -1)).toEqual([
    '    invalid: a:1:1: one',
    '    a:2:1: two',
    '    a:3:1: three',
    '    ... and 1 more',
  ]);
});

test('a table fits its terminal: names are cut, notes are wrapped', () => {
  const long = row({
    application: 'a-service-with-a-very-long-name-that-goes-on',
    pids: [111_111, 222_222, 333_333],
    conditions: [
      { type: 'Failed', message: 'exit code 3; more than 3 restarts within 180 s: no more' },
    ],
  });
  expect(renderStatus([long], [], view({ columns: 64 }))).toBe(
    `NAME          PHASE    PIDS          UPTIME  RESTARTS  LAST EXIT
a-service...  RUNNING  111111,22...   3m12s         0  -
    failed: exit code 3; more than 3 restarts within 180 s: no
      more
`,
  );
});

test.for([40, 60, 80, 100, 200])('no line is wider than %i columns', (columns) => {
  const wide = row({
    application: 'wide',
    conditions: [{ type: 'Failed', message: `${'日本語'.repeat(30)} ${'x'.repeat(150)}` }],
  });
  const rows = [wide, crashed, row({ pids: Array.from({ length: 50 }, (_, at) => 10_000 + at) })];
  const text = renderStatus(rows, [], view({ columns }));
  for (const line of text.split('\n')) {
    // Headers and numbers alone need this much.
    expect(stringWidth(line)).toBeLessThanOrEqual(Math.max(columns, 62));
  }
});

test('many pids are counted', () => {
  const pids = Array.from({ length: 50 }, (_, at) => 10_000 + at);
  expect(renderStatus([row({ pids })], [], view())).toContain(
    ' 10000,10001,10002,10003,10004,10005 +44 ',
  );
});

test('columns line up by what a terminal shows, not by characters', () => {
  const names = ['a', '日本'].map((application) => row({ application, pids: [1] }));
  expect(renderStatus(names, [], view()).split('\n').slice(1, 3)).toEqual([
    'a     RUNNING  1      3m12s         0  -',
    '日本  RUNNING  1      3m12s         0  -',
  ]);
});

test('phases have colours where colours are wanted', () => {
  const rows = [row(), crashed, row({ phase: 'FAILED' }), row({ phase: 'DISABLED' })];
  const text = renderStatus(rows, ['careful'], view({ colours: true }));
  expect(text).toContain('\x1b[33mwarning:\x1b[0m careful');
  for (const painted of ['\x1b[32mRUNNING\x1b[0m', '\x1b[33mBACKOFF\x1b[0m']) {
    expect(text).toContain(`${painted}  `);
  }
  expect(text).toContain('\x1b[31mFAILED\x1b[0m  ');
  expect(text).toContain('\x1b[2mDISABLED\x1b[0m  ');
  expect(renderStatus(rows, ['careful'], view())).not.toContain('\x1b');
});

test('text from a service cannot steer the terminal', () => {
  const message = 'cannot exec \x1b]0;owned\x07\x1b[2Jx\rfake: all is well';
  const text = renderStatus(
    [row({ conditions: [{ type: 'Failed', message }] })],
    [message],
    view(),
  );
  for (const control of ['\x1b', '\x07', '\r']) expect(text).not.toContain(control);
});
