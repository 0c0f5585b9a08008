import { expect, test } from 'vitest';
import { readCommandLine } from '../../src/cli/arguments.ts';
import {
  readCount,
  readFor,
  readReason,
  readTimeoutMs,
  readWait,
} from '../../src/cli/option-values.ts';
import { DEFAULT_SOCKET, socketPath } from '../../src/cli/socket-path.ts';

async function read(...argv: string[]) {
  const { command, operands, values, format, wantsHelp } = await readCommandLine(argv);
  return { name: command.name, operands, values: { ...values }, format, wantsHelp };
}

const plain = { operands: [], values: {}, format: 'text', wantsHelp: false };

test.for([
  [[], { name: 'status' }],
  [['status', 'web', 'db'], { name: 'status', operands: ['web', 'db'] }],
  [['-s', '/a', 'stop', 'web'], { name: 'stop', operands: ['web'], values: { sock: '/a' } }],
  [['stop', 'web', '--sock=/a'], { name: 'stop', operands: ['web'], values: { sock: '/a' } }],
  [['-o', 'json'], { name: 'status', format: 'json', values: { output: 'json' } }],
  [['status', '--format', 'json'], { name: 'status', format: 'json', values: { format: 'json' } }],
  [['logs', 'web', '-n', '5'], { name: 'logs', operands: ['web'], values: { lines: '5' } }],
  [['logs', '-n5', 'web'], { name: 'logs', operands: ['web'], values: { lines: '5' } }],
  [['stop', '--', '--odd'], { name: 'stop', operands: ['--odd'] }],
  [['start', '--help'], { name: 'start', wantsHelp: true, values: { help: true } }],
  [['-h'], { name: 'status', wantsHelp: true, values: { help: true } }],
  [
    ['start', '--force', 'web', '--timeout', '30s'],
    { name: 'start', operands: ['web'], values: { force: true, timeout: '30s' } },
  ],
] as const)('%j is understood', async ([argv, expected]) => {
  expect(await read(...argv)).toEqual({ ...plain, ...expected });
});

test.for([
  [['stat'], "cannot run 'stat': there is no such command (did you mean start?)"],
  [['frobnicate'], "cannot run 'frobnicate': there is no such command"],
  [['start'], 'cannot start: <service|pattern|all>… is missing'],
  [['update', 'web'], "cannot use 'web': update takes no more than 0"],
  [
    ['start', '--forse', 'web'],
    "cannot use '--forse': start has no such option (did you mean --force?)",
  ],
  [['status', '-f', 'web'], "cannot use '-f': status has no such option"],
  [['status', '--force'], "cannot use '--force': status has no such option"],
  [['status', '--__proto__'], "cannot use '--__proto__': status has no such option"],
  [['start', '--force=yes', 'web'], "cannot use '--force': it takes no value"],
  [['status', '--sock'], "cannot use '--sock': it needs a value (PATH)"],
  [['status', '--format', 'xml'], "cannot print as 'xml': expected text or json"],
] as const)('%j is a usage error that says what is wrong', async ([argv, message]) => {
  await expect(read(...argv)).rejects.toMatchObject({ code: 'invalid_argument', message });
});

test('values of options are checked where they are read', () => {
  expect([readCount('logs', '-n', undefined, 50), readCount('logs', '-n', '7', 50)]).toEqual([
    50, 7,
  ]);
  for (const bad of ['0', '-1', '1e3', '10001', 'x', '']) {
    expect(() => readCount('logs', '-n', bad, 50)).toThrow(
      'expected a whole number from 1 to 10000',
    );
  }
  expect([readTimeoutMs('stop', undefined), readTimeoutMs('stop', '1m30s')]).toEqual([
    null,
    90_000,
  ]);
  for (const bad of ['30', 'soon', '0s', '2d']) {
    expect(() => readTimeoutMs('stop', bad)).toThrow(`cannot use '--timeout ${bad}': expected a`);
  }
  expect([readWait('stop', {}), readWait('stop', { 'no-wait': true })]).toEqual([true, false]);
  expect(() => readWait('stop', { wait: true, 'no-wait': true })).toThrow('the opposite');
});

test('the socket is the one of the option, of the environment, or the default', () => {
  const env = { PMCTL_SOCK: '/env.sock' };
  expect(socketPath('/option.sock', env)).toBe('/option.sock');
  expect(socketPath(undefined, env)).toBe('/env.sock');
  expect(socketPath(undefined, { PMCTL_SOCK: '' })).toBe(DEFAULT_SOCKET);
  expect(socketPath(undefined, {})).toBe(DEFAULT_SOCKET);
});

test('a time to hold and a reason are left out, or read', () => {
  expect(readFor('stop', undefined)).toEqual({});
  expect(readFor('stop', '1h30m')).toEqual({ for_ms: 5_400_000 });
  expect(readFor('stop', '365d')).toEqual({ for_ms: 31_536_000_000 });
  expect(readReason('stop', undefined)).toEqual({});
  expect(readReason('stop', 'new disk')).toEqual({ reason: 'new disk' });
});

test.for(['', '2', '999ms', '365d1s', '-1h', 'tomorrow'])('--for %j is refused', (value) => {
  expect(() => readFor('stop', value)).toThrow(/^cannot use '--for .*': expected a /);
});

test.for(['', 'two\nlines', 'x'.repeat(257)])('--reason %j is refused', (value) => {
  expect(() => readReason('stop', value)).toThrow("cannot use that '--reason': expected ");
});

test.for([['start'], ['restart'], ['status']])(
  '--for is no option of %s',
  async ([command = '']) => {
    await expect(read(command, 'web', '--for', '2h')).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  },
);
