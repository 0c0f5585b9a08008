import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostileTexts } from '../builders/hostile-texts.ts';
import { type Instance, startInstance } from './harness.ts';
import { program, runProgram } from './programs.ts';
import { waitFor } from './wait-for.ts';

/** Names of files that want to be more than a name where they are shown. */
const NAMES = [
  'new\nline',
  'return\rcarriage',
  'escape\u001b[2J\u001b]0;title\u0007',
  'c1\u009b31m',
  'right\u202eto-left',
  'isolate\u2066\u2069',
  'zero\u200bwidth',
  'combining e\u0301\u0301\u0301',
  'tag\u{e0041}',
  'full\uff0estop',
  'tab\tand space ',
  '-dash',
  '$(reboot)`;\'"',
  'x'.repeat(240),
];

/** What steers a terminal, or hides there. */
const CONTROLS = [...'\r\u001b\u0007\u009b\u202e\u2066\u2069\u200b\u{e0041}'];

test('a file with an unusual name is an error of its own, shown so that it steers no terminal', async () => {
  const instance = await startInstance();
  for (const name of NAMES) {
    const text = 'process: {working_directory: /srv}\n';
    writeFileSync(join(instance.configDirectory, `${name}.yaml`), text);
  }
  // No name at all in UTF-8.
  const raw = Buffer.concat([
    Buffer.from(`${instance.configDirectory}/`),
    Buffer.from([0xff, 0xfe]),
  ]);
  writeFileSync(Buffer.concat([raw, Buffer.from('.yaml')]), '');
  const named = join(instance.configDirectory, 'web\nfine\u001b[31m\u202e.yaml');
  renameSync(instance.defineScript('fine', 'exec sleep 1000', { application: 'fine' }), named);

  const update = await instance.pmctl('update');
  expect([update.code, update.stderr]).toEqual([9, expect.any(String)]);
  await instance.running('fine', 1);
  const shown = [update];
  for (const words of [['status'], ['events'], ['describe', 'fine'], ['why', 'fine'], ['diff']]) {
    shown.push(await instance.pmctl(...words));
  }
  const check = await runProgram(await program('processmaster'), [
    '-c',
    instance.configFile,
    '--check',
  ]);
  for (const { stdout, stderr } of [...shown, check]) {
    expect(CONTROLS.filter((control) => (stdout + stderr).includes(control))).toEqual([]);
  }
  for (const { stderr } of [update, check]) {
    const problems = stderr.trim().split('\n');
    expect(problems).toHaveLength(NAMES.length + 1);
    for (const line of problems) expect(line).toMatch(/application|cannot read/);
    expect(stderr).toContain('new␊line');
  }
});

test('hostile files keep the daemon from nothing: it answers while they are dropped', async () => {
  const instance = await startInstance();
  instance.defineScript('fine', 'exec sleep 1000');
  const [pid] = await instance.running('fine', 1);
  const slowest = answering(instance);
  const texts = [7_800, 120_000, 2_000_000].flatMap((bytes) => [...hostileTexts(bytes).values()]);
  for (const [index, text] of texts.entries()) instance.define(`hostile-${index}`, text);
  const areShown = async () => {
    const statuses = [...(await instance.statuses()).values()];
    return statuses.filter(({ phase }) => phase === 'INVALID').length === texts.length;
  };
  await waitFor(areShown, { what: 'all of them to be shown as invalid', deadlineMs: 120_000 });
  expect(await slowest()).toBeLessThan(SLOWEST_ANSWER_MS);
  expect(instance.pidsOf('fine')).toEqual([pid]);
}, 200_000);

/** Read in one go, and without limits, they took five times as long on two cores of our own. */
const SLOWEST_ANSWER_MS = 10_000;

/** Asks again and again how long an answer takes; the result ends that and gives the longest in ms. */
function answering(instance: Instance): () => Promise<number> {
  let isOver = false;
  const asking = (async () => {
    let slowestMs = 0;
    while (!isOver) {
      const askedAtMs = performance.now();
      await instance.pmctl('server-version');
      slowestMs = Math.max(slowestMs, performance.now() - askedAtMs);
    }
    return slowestMs;
  })();
  return () => {
    isOver = true;
    return asking;
  };
}
