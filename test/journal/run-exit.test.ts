import { expect, test } from 'vitest';
import { parseExit } from '../../src/journal/run-exit.ts';
import type { Exit } from '../../src/model/history.ts';

test.for<Exit>([
  { kind: 'exited', code: 3 },
  { kind: 'signaled', signal: 'SIGTERM' },
  { kind: 'launch_failed', stage: 'exec', message: 'no' },
  { kind: 'unknown', reason: 'nobody saw it' },
])('%j is kept', (exit) => {
  expect(parseExit(JSON.parse(JSON.stringify(exit)))).toEqual(exit);
});

test.for([
  null,
  'exited',
  [],
  {},
  { kind: 'exited', code: '3' },
  { kind: 'signaled' },
  { kind: 'launch_failed', stage: 'exec' },
  { kind: 'unknown' },
  { kind: 'vanished', reason: 'x' },
])('%j tells nothing', (value) => {
  expect(parseExit(value)).toBeNull();
});
