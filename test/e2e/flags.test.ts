import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startInstance } from './harness.ts';
import { waitFor } from './wait-for.ts';

test('flags are shown, outlive every daemon, and end with their time or their service', async () => {
  const instance = await startInstance();
  const file = instance.defineScript('web', 'exec sleep 1000');
  await instance.running('web', 1);

  const set = await instance.pmctl('flag', 'web', 'maintenance', 'on.call-1', '-t', '2h');
  expect(set).toMatchObject({ code: 0, stdout: 'web: flagged for 2h: maintenance, on.call-1\n' });
  expect((await instance.pmctl('flag', 'web', 'stays')).code).toBe(0);
  expect((await instance.pmctl('flag', 'web', 'short', '--ttl', '5s')).code).toBe(0);
  const row = await instance.status('web');
  expect(row?.user_flags).toEqual(['maintenance', 'on.call-1', 'short', 'stays']);
  const inMs = (row?.user_flag_expires_at_ms.maintenance ?? 0) - Date.now();
  expect(inMs).toBeGreaterThan(7_100_000);
  expect(row?.user_flag_expires_at_ms.stays).toBeNull();
  expect((await instance.pmctl('status')).stdout).toContain(
    'flags: maintenance, on.call-1, short, stays\n',
  );

  await instance.endDaemon('SIGKILL');
  await instance.start();
  await instance.endDaemon('SIGTERM');
  await instance.start();
  const isOver = async () => !(await instance.status('web'))?.user_flags.includes('short');
  await waitFor(isOver, { what: 'the short flag to be over' });
  expect((await instance.status('web'))?.user_flags).toEqual(['maintenance', 'on.call-1', 'stays']);
  const expired = async () =>
    (await instance.events('web')).find(({ kind }) => kind === 'flag.expired');
  expect(await waitFor(expired, { what: 'the event' })).toMatchObject({ data: { flag: 'short' } });

  const cleared = await instance.pmctl('unflag', 'web', 'maintenance', '--format', 'json');
  expect(JSON.parse(cleared.stdout)).toMatchObject([{ name: 'web', outcome: 'done' }]);
  expect((await instance.status('web'))?.user_flags).toEqual(['on.call-1', 'stays']);
  const asked = (await instance.events('web')).filter(({ kind }) => kind.startsWith('operator.'));
  expect(asked.map(({ kind, actor, data }) => [kind, actor, data.flag])).toEqual([
    ['operator.flag', 'local', 'maintenance'],
    ['operator.flag', 'local', 'on.call-1'],
    ['operator.flag', 'local', 'stays'],
    ['operator.flag', 'local', 'short'],
    ['operator.unflag', 'local', 'maintenance'],
  ]);

  rmSync(file);
  await waitFor(async () => (await instance.status('web')) === undefined, { what: 'web to go' });
  instance.defineScript('web', 'exec sleep 1000');
  await instance.running('web', 1);
  await instance.phase('web', 'RUNNING');
  expect((await instance.status('web'))?.user_flags).toEqual([]);
});

test('flags go with a service that is removed while no daemon is there', async () => {
  const instance = await startInstance();
  instance.defineScript('stays', 'exec sleep 1000');
  const file = instance.defineScript('goes', 'exec sleep 1000');
  await instance.phase('goes', 'RUNNING');
  await instance.phase('stays', 'RUNNING');
  expect((await instance.pmctl('flag', 'all', 'seen')).code).toBe(0);
  await instance.endDaemon('SIGTERM');
  rmSync(file);
  await instance.start();
  await instance.phase('stays', 'RUNNING');
  instance.defineScript('goes', 'exec sleep 1000');
  await instance.phase('goes', 'RUNNING');
  expect((await instance.status('goes'))?.user_flags).toEqual([]);
  expect((await instance.status('stays'))?.user_flags).toEqual(['seen']);
});

test('what cannot be a flag is refused with what is expected', async () => {
  const instance = await startInstance();
  instance.defineScript('web', 'exec sleep 1000');
  await instance.phase('web', 'RUNNING');

  const reserved = await instance.pmctl('flag', 'web', 'failed');
  expect(reserved).toMatchObject({ code: 2, stderr: expect.stringContaining("set flag 'failed'") });
  expect((await instance.pmctl('flag', 'web', 'a b')).code).toBe(2);
  expect((await instance.pmctl('flag', 'web')).code).toBe(2);
  expect((await instance.pmctl('flag', 'web', 'a', '-t', '0s')).code).toBe(2);
  expect((await instance.pmctl('flag', 'nobody', 'a')).code).toBe(4);
  const many = Array.from({ length: 33 }, (_, at) => `f${at}`);
  const refused = await instance.pmctl('flag', 'web', ...many);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('32 is the most') });
  expect((await instance.pmctl('unflag', 'web', 'all')).stdout).toBe('web: not flagged: all\n');
});
