import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { createHandlers } from '../../src/api/handlers.ts';
import type { ApiPorts } from '../../src/api/ports.ts';
import { ProcessmasterError } from '../../src/lib/errors.ts';
import { contract } from '../../src/rpc/contract.ts';
import { activeHistory, endedHistory, exited } from '../builders/situations.ts';
import { accepted, desired, name } from '../builders/specs.ts';
import { caller, condition, MemoryDaemon, status } from './api-rig.ts';

const FILE = '/etc/pm/config.d/web.yaml';
const STDERR = '/srv/web/logs/stderr.log';

function running(...pids: number[]) {
  return status('web', [condition('Populated')], {
    history: activeHistory({ main: { pid: 7, startTicks: 1 } }),
    cgroup: { kind: 'populated', pids },
  });
}

async function why(daemon: MemoryDaemon, word = 'web', ports: Partial<ApiPorts> = {}) {
  const handlers = createHandlers(daemon.ports(ports));
  const result = await handlers['services.why']({ name: word }, caller());
  expect(z.safeParse(contract['services.why'].result, result).error).toBeUndefined();
  return result;
}

async function describeService(daemon: MemoryDaemon, word = 'web') {
  const handlers = createHandlers(daemon.ports());
  const result = await handlers['services.describe']({ name: word }, caller());
  expect(z.safeParse(contract['services.describe'].result, result).error).toBeUndefined();
  return result;
}

test('the main process comes first, and no more processes are looked up than can be shown', async () => {
  const pids = Array.from({ length: 50 }, (_, index) => 50 - index);
  const daemon = new MemoryDaemon(running(...pids));
  daemon.processes = pids.map((pid) => ({ pid, startedAtMs: 0, command: `command ${pid}` }));
  const asked: (readonly number[])[] = [];
  const describeProcesses = (wanted: readonly number[]) => {
    asked.push(wanted);
    return [];
  };
  const { observed } = await why(daemon, 'web', { describeProcesses });
  expect(asked).toEqual([[7, 1, 2, 3, 4, 5, 6, ...Array.from({ length: 13 }, (_, at) => 8 + at)]]);
  expect(observed.processes).toBe(50);
});

test('lines, events, runs and the end of stderr are looked up', async () => {
  const down = status('web', [condition('Failed')], {
    history: endedHistory(exited(3), { failed: true }),
  });
  const daemon = new MemoryDaemon(down);
  daemon.lines = { [FILE]: { 'restart_policy.tolerance.max_restarts': 12, unasked: 1 } };
  daemon.events = [
    { seq: 1, atMs: 5, service: name('web'), kind: 'x.y', message: 'm', actor: 'a', data: {} },
    { seq: 2, atMs: 6, service: name('db'), kind: 'x.y', message: 'm', actor: 'a', data: {} },
  ];
  daemon.runs = [
    { run: 1, startedAtMs: 1, endedAtMs: 2, exit: exited(3), reason: 'it is enabled' },
  ];
  const tailLogs: ApiPorts['tailLogs'] = async (_, lines) => [
    { path: '/srv/web/logs/stdout.log', lines: ['not this'], truncated: false },
    { path: STDERR, lines: [`${lines} lines`], truncated: false },
  ];
  const answer = await why(daemon, 'web', { tailLogs });
  expect(answer.desired.decided_by).toMatchObject({ kind: 'policy', file: FILE, line: 12 });
  expect(answer.transitions).toEqual([{ at_ms: 5, kind: 'x.y', message: 'm', actor: 'a' }]);
  expect(answer.restarts?.last_exits).toEqual([{ run: 1, message: 'exit code 3', at_ms: 2 }]);
  expect(answer.stderr).toEqual({ path: STDERR, lines: ['8 lines'], error: null });
});

test('both files of a conflict are looked at', async () => {
  const trouble = { kind: 'conflict', files: ['/c/a.yaml', '/c/b.yaml'] } as const;
  const twice = status('web', [condition('NeverValid')], {
    desired: { ...desired(null), trouble },
  });
  const daemon = new MemoryDaemon(twice);
  daemon.lines = { '/c/a.yaml': { application: 1 }, '/c/b.yaml': { application: 4 } };
  const { definition, stderr } = await why(daemon);
  expect(definition.trouble?.places.map(({ file, line }) => [file, line])).toEqual([
    ['/c/a.yaml', 1],
    ['/c/b.yaml', 4],
  ]);
  expect(stderr).toBeNull();
});

test('a log that cannot be read costs nothing but its lines', async () => {
  const refused = async () => {
    throw new ProcessmasterError('unsafe_path', `cannot read '${STDERR}': it is a symbolic link`);
  };
  const { stderr } = await why(new MemoryDaemon(running(7)), 'web', { tailLogs: refused });
  expect(stderr).toEqual({
    path: STDERR,
    lines: [],
    error: `cannot read '${STDERR}': it is a symbolic link`,
  });
  const defect = async () => {
    throw new TypeError('no such thing');
  };
  await expect(why(new MemoryDaemon(running(7)), 'web', { tailLogs: defect })).rejects.toThrow(
    'no such thing',
  );
});

test.for(['wbe', 'w*', '../web'])('%s is no service', async (word) => {
  const daemon = new MemoryDaemon(running(7));
  await expect(why(daemon, word)).rejects.toMatchObject({ code: 'not_found' });
  await expect(describeService(daemon, word)).rejects.toMatchObject({ code: 'not_found' });
});

test('near names are offered', async () => {
  await expect(why(new MemoryDaemon(running(7)), 'wbe')).rejects.toThrow("did you mean 'web'?");
});

test('a description is the detail, every key with its line, and the runs from the newest', async () => {
  const daemon = new MemoryDaemon(status('db'), running(7));
  daemon.lines = { [FILE]: { 'process.start_command': 3 } };
  daemon.runs = [
    {
      run: 1,
      startedAtMs: 10,
      endedAtMs: 40,
      exit: { kind: 'signaled', signal: 'SIGTERM' },
      reason: 'r',
    },
    { run: 2, startedAtMs: 50, endedAtMs: null, exit: null, reason: null },
  ];
  const { service, spec, runs, warnings } = await describeService(daemon);
  expect(service).toMatchObject({ application: 'web', detail: { processes: [] } });
  expect(spec?.find(({ key }) => key === 'process.start_command')).toEqual({
    key: 'process.start_command',
    value: ['./run.sh'],
    line: 3,
  });
  expect(spec?.find(({ key }) => key === 'process.nice')).toMatchObject({ value: 0, line: null });
  expect(runs).toEqual([
    { run: 2, started_at_ms: 50, ended_at_ms: null, duration_ms: null, reason: null, exit: null },
    {
      run: 1,
      started_at_ms: 10,
      ended_at_ms: 40,
      duration_ms: 30,
      reason: 'r',
      exit: { kind: 'signaled', code: null, signal: 'SIGTERM', message: 'killed by SIGTERM' },
    },
  ]);
  expect(warnings).toEqual(['the disk is full']);
});

test('a file that is broken by now does not lend its lines to the spec in force', async () => {
  const problem = { file: FILE, line: 3, column: 1, keyPath: '', message: 'no' };
  const trouble = { kind: 'invalid', problems: [problem] } as const;
  const broken = status('web', [], { desired: { ...desired(accepted()), trouble } });
  const daemon = new MemoryDaemon(broken);
  daemon.lines = { [FILE]: { 'process.start_command': 3 } };
  const { spec } = await describeService(daemon);
  expect(spec?.every(({ line }) => line === null)).toBe(true);
});

test('what never was valid has no spec, and a service called all is one service', async () => {
  const daemon = new MemoryDaemon(
    status('aaa'),
    status('all', [condition('NeverValid')], { desired: desired(null) }),
  );
  const { service, spec } = await describeService(daemon, 'all');
  expect([service.application, spec]).toEqual(['all', null]);
});
