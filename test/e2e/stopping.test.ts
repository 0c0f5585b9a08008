import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startInstance } from './harness.ts';
import { isAlive } from './kernel.ts';
import { waitFor } from './wait-for.ts';

/** A service whose stop command is `script`, run by a shell. */
function stoppedBy(folder: string, script: string) {
  return {
    process: {
      working_directory: folder,
      start_command: ['/bin/sleep', '1000'],
      stop_command: ['/bin/sh', '-c', script],
    },
  };
}

test('a stop command finishes its work before the stop is over', async () => {
  const instance = await startInstance();
  const folder = instance.folder('tidy');
  const script = 'kill "$PID_OF_SERVICE"; sleep 0.5; echo tidied >done; echo said';
  const definition = stoppedBy(folder, `PID_OF_SERVICE=$(cat pid); ${script}`);
  instance.define('tidy', definition);
  const [pid = 0] = await instance.running('tidy', 1);
  writeFileSync(join(folder, 'pid'), String(pid));
  await instance.phase('tidy', 'RUNNING');

  expect(await instance.pmctl('stop', 'tidy')).toMatchObject({ code: 0 });

  expect(readFileSync(join(folder, 'done'), 'utf8')).toBe('tidied\n');
  expect(readFileSync(join(folder, 'logs/stop_command_stdout.log'), 'utf8')).toBe('said\n');
  expect(isAlive(pid)).toBe(false);
  await instance.gone('tidy');
});

test('a restart waits for the stop command, so that it never meets the next run', async () => {
  const instance = await startInstance();
  const folder = instance.folder('slow');
  const script = 'kill "$(cat pid)"; sleep 1; test -e next && echo met >met; exit 0';
  instance.define('slow', stoppedBy(folder, script));
  const [first = 0] = await instance.running('slow', 1);
  writeFileSync(join(folder, 'pid'), String(first));
  await instance.phase('slow', 'RUNNING');

  const restarted = instance.pmctl('restart', 'slow');
  const second = await waitFor(() => instance.pidsOf('slow').find((pid) => pid !== first), {
    what: 'the next run',
  });
  writeFileSync(join(folder, 'next'), '');
  expect(await restarted).toMatchObject({ code: 0 });

  expect(isAlive(second)).toBe(true);
  expect(existsSync(join(folder, 'met'))).toBe(false);
});

test('a stop command that cannot be run is followed by a signal at once', async () => {
  const instance = await startInstance();
  instance.define('lost', {
    process: {
      working_directory: instance.folder('lost'),
      start_command: ['/bin/sleep', '1000'],
      stop_command: ['./nosuch'],
      stop_grace_period_ms: 20_000,
    },
  });
  await instance.running('lost', 1);
  await instance.phase('lost', 'RUNNING');

  const stopped = await instance.pmctl('stop', 'lost');

  expect(stopped).toMatchObject({ code: 0, stdout: expect.stringContaining('0 killed') });
  const failure = (await instance.events('lost')).find(
    ({ kind }) => kind === 'service.action-failed',
  );
  expect(failure?.message).toContain('nosuch');
});
