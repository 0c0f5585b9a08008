import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';

const EVENTS_MODULE = join(import.meta.dirname, '../../src/observers/cgroup-events.ts');

it('watches those that inotify had no room for as soon as it has', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pm-cgroup-events-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const service of ['a', 'b', 'c']) {
    mkdirSync(join(folder, service));
    writeFileSync(join(folder, service, 'cgroup.events'), '');
  }
  const limit = '/proc/sys/user/max_inotify_watches';
  const script = `
    import { writeFileSync } from 'node:fs';
    import { CgroupEvents } from ${JSON.stringify(EVENTS_MODULE)};
    const fileOf = (name) => '${folder}/' + name;
    let isOver = false;
    const events = new CgroupEvents(
      { service: fileOf },
      (name) => { if (isOver) { console.log('change of', name); events.close(); } },
      (reason) => console.log(reason),
    );
    writeFileSync('${limit}', '1');
    for (const name of ['a', 'b', 'c']) events.watch(name);
    events.retry();
    console.log(events.isDegraded);
    writeFileSync('${limit}', '9');
    events.retry();
    console.log(events.isDegraded);
    isOver = true;
    writeFileSync('${folder}/c/cgroup.events', 'x');`;
  // The limit of a user namespace of its own: nobody else is affected.
  const args = ['-U', '-r', process.execPath, '--input-type=module', '-e', script];
  const { stdout } = await promisify(execFile)('unshare', args, { timeout: 20_000 });
  expect(stdout.trim().split('\n')).toEqual([
    expect.stringMatching(
      /^cannot watch cgroups: no inotify watches are left .*; they are looked at every two seconds$/,
    ),
    'true',
    'null',
    'false',
    'change of c',
  ]);
});
