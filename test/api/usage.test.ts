import { expect, it } from 'vitest';
import { showUsage } from '../../src/api/usage.ts';
import { EMPTY_HISTORY } from '../../src/model/history.ts';
import type { UsageFields } from '../../src/rpc/usage-rows.ts';
import { run } from '../builders/situations.ts';
import { MemoryDaemon, status } from './api-rig.ts';

// What it is made of is of no interest here.
const used = { at_monotonic_ms: 5, cpu_us: 7 } as UsageFields;

const web = status('web', [], { history: { ...EMPTY_HISTORY, run: run({ number: 4 }) } });

it('tells of all that have a cgroup, with the run that it is of', () => {
  const ports = new MemoryDaemon(web, status('db')).ports({
    usage: (name) => (name === 'web' ? used : null),
  });
  expect(showUsage(ports, { names: [] }).services).toEqual([
    { application: 'web', run: 4, ...used },
  ]);
});

it('tells of those that names and patterns mean', () => {
  const ports = new MemoryDaemon(web, status('db'), status('web-2')).ports({ usage: () => used });
  const names = showUsage(ports, { names: ['web*'] }).services.map((row) => row.application);
  expect(names).toEqual(['web', 'web-2']);
  expect(() => showUsage(ports, { names: ['wbe'] })).toThrow(/cannot find service 'wbe'/);
});
