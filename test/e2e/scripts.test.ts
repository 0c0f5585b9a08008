import { expect, test } from 'vitest';
import { startInstance } from './harness.ts';

test('pmctl is-active: the phases, and an exit code for scripts', async () => {
  const instance = await startInstance();
  instance.defineScript('web', 'exec sleep 1000');
  instance.defineScript('off', 'exec sleep 1000', { global: { enabled: false } });
  await instance.running('web', 1);
  await instance.phase('web', 'RUNNING');
  await instance.phase('off', 'DISABLED');

  expect(await instance.pmctl('is-active', 'web')).toMatchObject({ code: 0, stdout: 'RUNNING\n' });
  const both = await instance.pmctl('is-active', 'off', 'web');
  expect(both).toMatchObject({ code: 3, stdout: 'DISABLED\nRUNNING\n', stderr: '' });
  expect(await instance.pmctl('is-active', '-q', 'off')).toMatchObject({ code: 3, stdout: '' });
  const json = await instance.pmctl('is-active', 'off', '-o', 'json');
  expect(JSON.parse(json.stdout)).toEqual([
    { application: 'off', phase: 'DISABLED', active: false },
  ]);
  expect((await instance.pmctl('is-active', 'wbe')).code).toBe(4);
});

test('pmctl wait: until it is so, or the time is over', async () => {
  const instance = await startInstance();
  instance.defineScript('web', 'exec sleep 1000');
  await instance.phase('web', 'RUNNING');
  expect(await instance.pmctl('wait', 'web')).toMatchObject({ code: 0, stdout: 'web: running\n' });

  const stopped = instance.pmctl('wait', 'web', '--for', 'stopped');
  expect((await instance.pmctl('stop', 'web')).code).toBe(0);
  expect(await stopped).toMatchObject({ code: 0, stdout: 'web: stopped\n' });

  const late = await instance.pmctl('wait', 'web', '--timeout', '300ms');
  expect(late).toMatchObject({ code: 7, stdout: '' });
  expect(late.stderr).toMatch(
    /^pmctl: web is not running after 0\.\d s: it is STOPPED\n {2}see: pmctl why web\n$/,
  );

  const running = instance.pmctl('wait', 'web');
  expect((await instance.pmctl('start', 'web')).code).toBe(0);
  expect((await running).code).toBe(0);

  const wrong = await instance.pmctl('wait', 'web', '--for', 'paused');
  expect(wrong).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('expected running or stopped'),
  });
  expect((await instance.pmctl('wait', 'wbe')).code).toBe(4);
});
