import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Instance, startInstance } from '../e2e/harness.ts';
import { childCgroups, readOr, zombiesOf } from '../e2e/kernel.ts';
import { waitFor } from '../e2e/wait-for.ts';
import { wholeLog } from '../logs/log-files.ts';
import { Random } from './random.ts';
import { readSeed } from './world.ts';

const KILLS = Number(process.env.CHAOS_KILLS ?? 100);
const SERVICES = Array.from({ length: 20 }, (_, index) => `writer${index}`);
/** How long a daemon lives at most, counted from its being there. */
const LIFE_MS = 60;

/** Numbered lines in bursts, some hundred a second, until it is told that it is enough. */
const WRITER =
  'i=0; while [ ! -e enough ]; do j=0; while [ $j -lt 8 ]; do i=$((i+1)); j=$((j+1)); echo "line $i"; done; sleep 0.02; done; echo $i >last; exec sleep 1000';

test(
  `${KILLS} kills of the daemon cost no service anything`,
  async () => {
    const seed = readSeed();
    console.log(`kills: CHAOS_SEED=${seed} CHAOS_KILLS=${KILLS} replays this run`);
    const random = new Random(seed);
    const instance = new Instance();
    for (const name of SERVICES) instance.defineScript(name, WRITER);
    await instance.start();
    const pids = new Map<string, number>();
    for (const name of SERVICES)
      pids.set(name, (await instance.phase(name, 'RUNNING')).main_pid ?? 0);

    for (let kill = 0; kill < KILLS; kill += 1) {
      await delay(random.below(LIFE_MS));
      await instance.endDaemon('SIGKILL');
      await instance.start();
    }

    for (const name of SERVICES) writeFileSync(join(instance.folder(name), 'enough'), '');
    for (const name of SERVICES) {
      await waitFor(() => readOr(join(instance.folder(name), 'last'), '') !== '', {
        what: 'the end',
      });
      expect(await instance.phase(name, 'RUNNING')).toMatchObject({
        main_pid: pids.get(name),
        run: 1,
        restarts_10m: 0,
      });
    }
    expect(childCgroups(instance.cgroup)).toHaveLength(SERVICES.length + 2);
    expect(zombiesOf(instance.daemonPid)).toEqual([]);
    await instance.pmctl('stop', 'all');
    for (const name of SERVICES) expect(brokenLine(instance, name)).toBeNull();
    expect(await instance.endDaemon('SIGTERM')).toBe(0);
    expect(childCgroups(instance.cgroup)).toEqual([]);
  },
  60_000 + KILLS * 5_000,
);

test('a stream at full speed loses no line to kills of the daemon', async () => {
  const instance = await startInstance();
  const lines = 3_000_000;
  instance.defineScript(
    'fast',
    `seq 1 ${lines} | sed 's/^/line /'; echo ${lines} >last; exec sleep 1000`,
  );
  const log = join(instance.folder('fast'), 'logs/stdout.log');
  await waitFor(() => readOr(log, '') !== '', { what: 'the first lines' });
  for (let kill = 0; kill < 5; kill += 1) {
    await instance.endDaemon('SIGKILL');
    await instance.start();
  }
  const isDone = () => readOr(join(instance.folder('fast'), 'last'), '') !== '';
  await waitFor(isDone, { what: 'the last line to be written', deadlineMs: 60_000 });
  await instance.pmctl('stop', 'fast');
  expect(brokenLine(instance, 'fast')).toBeNull();
}, 120_000);

/** The first line that is not `line 1`, `line 2`, … up to the last that the service wrote. */
function brokenLine(instance: Instance, name: string): string | null {
  const folder = instance.folder(name);
  const written = wholeLog(join(folder, 'logs/stdout.log')).toString('latin1').split('\n');
  const last = Number(readFileSync(join(folder, 'last'), 'utf8'));
  for (let number = 1; number <= last; number += 1) {
    const line = written[number - 1];
    if (line !== `line ${number}`)
      return `${name}: '${line}' instead of 'line ${number}' of ${last}`;
  }
  return written.length === last + 1
    ? null
    : `${name}: ${written.length - 1} lines instead of ${last}`;
}
