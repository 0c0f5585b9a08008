import { expect, test } from 'vitest';
import { renderDetail } from '../../src/cli/render-detail.ts';
import { crashed, NOON, row, view } from './rows.ts';

test('one service shows everything there is to know', () => {
  const one = row({
    description: 'the site',
    labels: { team: 'a', tier: 'front' },
    detail: {
      processes: [
        { pid: 1201, uptime_ms: 192_000, command: 'nginx: master process' },
        { pid: 1202, uptime_ms: 5_000, command: 'nginx: worker process' },
      ],
      events: [
        {
          seq: 9,
          at_ms: NOON,
          service: 'web',
          kind: 'service.starting',
          message: 'run 7: requested by local',
          actor: 'supervisor',
          data: {},
        },
      ],
    },
  });
  expect(renderDetail(one, ['careful'], view())).toBe(`warning: careful
web  RUNNING
  description  the site
  labels       team=a tier=front
  definition   /etc/pm/config.d/web.yaml (generation 3)
  directory    /srv/web
  running      for 3m12s, since 2026-01-15 12:00:00 (run 7)
  main pid     1201
  restarts     0 in the last 10 minutes
  flags        system_start

conditions
Populated: 3 processes

processes
 PID  UPTIME  COMMAND
1201   3m12s  nginx: master process
1202      5s  nginx: worker process

events
TIME                 SERVICE  EVENT             BY          MESSAGE
2026-01-15 12:00:00  web      service.starting  supervisor  run 7: requested by local
`);
});

test('flags of operators stand behind those of the daemon, with their end', () => {
  const flagged = row({
    user_flags: ['busy', 'mine'],
    user_flag_expires_at_ms: { busy: NOON, mine: null },
  });
  expect(renderDetail(flagged, [], view())).toContain(
    '  flags        system_start, busy (until 2026-01-15 12:00:00), mine\n',
  );
});

test('a service that is down shows how it ended', () => {
  const text = renderDetail(crashed, [], view());
  expect(text).toContain('crasher  BACKOFF\n');
  expect(text).toContain('  last exit    exit code 3, at 2026-01-15 12:00:00\n');
  expect(text).not.toContain('running ');
  expect(text).not.toContain('processes');
});

test('a disabled service, a lost main process and who stopped it are said', () => {
  const one = row({ enabled: false, main_pid_gone: true, stopped_by: 'ann' });
  const text = renderDetail(one, [], view());
  expect(text).toContain('web.yaml (generation 3, disabled)\n');
  expect(text).toContain('  main pid     1201 (gone)\n');
  expect(text).toContain('  stopped by   ann\n');
});

test('long values are wrapped below their own beginning', () => {
  const text = renderDetail(
    row({ description: 'word '.repeat(12).trim() }),
    [],
    view({ columns: 45 }),
  );
  expect(text).toContain(`  description  word word word word word word
               word word word word word word
`);
});

test('every line of a mistake is shown', () => {
  const message = 'a.yaml:1:1: one\na.yaml:2:1: two';
  const text = renderDetail(
    row({ conditions: [{ type: 'DefinitionInvalid', message }] }),
    [],
    view(),
  );
  expect(text).toContain('DefinitionInvalid: a.yaml:1:1: one\n  a.yaml:2:1: two\n');
});
