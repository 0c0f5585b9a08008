import { execFile } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchDirectory } from '../../src/sources/watched-directory.ts';

const SETTLE_MS = 50;
const MODULE = join(import.meta.dirname, '../../src/sources/watched-directory.ts');

let base: string;
let folder: string;
let closeWatch: () => Promise<void>;
let settled: number;
let degraded: (string | null)[];

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'pm-watched-'));
  folder = join(base, 'config.d');
  settled = 0;
  degraded = [];
  closeWatch = async () => {};
});
afterEach(async () => {
  await closeWatch();
  rmSync(base, { recursive: true, force: true });
});

function open(depth: 0 | 1 = 0): void {
  const watch = watchDirectory(folder, {
    settleMs: SETTLE_MS,
    depth,
    concerns: (file) => /\.yaml$|^run\.sh$/.test(file),
    onSettled: () => {
      settled += 1;
    },
    onDegraded: (reason) => degraded.push(reason),
    retryMs: 50,
  });
  closeWatch = () => watch.close();
}

/** Repeats a change until it is noticed: the watch needs a moment to be set up. */
async function noticed(change: (attempt: number) => void): Promise<void> {
  const before = settled;
  let attempt = 0;
  await vi.waitFor(
    () => {
      if (attempt++ % 10 === 0) change(attempt);
      expect(settled).toBeGreaterThan(before);
    },
    { timeout: 10_000, interval: 30 },
  );
}

describe('a watched directory', () => {
  it('reports new, changed, renamed and removed files', async () => {
    mkdirSync(folder);
    open();
    const file = join(folder, 'web.yaml');
    await noticed((attempt) => writeFileSync(file, String(attempt)));
    await noticed(() => appendFileSync(file, 'x'));
    await noticed((attempt) => {
      writeFileSync(join(folder, 'web.tmp'), 'x'.repeat(attempt));
      renameSync(join(folder, 'web.tmp'), file);
    });
    await noticed((attempt) => {
      if (attempt > 1) writeFileSync(file, '');
      rmSync(file);
    });
  });

  it('reports many changes at once as one', async () => {
    mkdirSync(folder);
    open();
    await noticed((attempt) => writeFileSync(join(folder, 'first.yaml'), String(attempt)));
    const before = settled;
    for (let i = 0; i < 100; i++) writeFileSync(join(folder, `${i}.yaml`), '');
    await vi.waitFor(() => expect(settled).toBeGreaterThan(before), { timeout: 10_000 });
    await noticed((attempt) => writeFileSync(join(folder, 'last.yaml'), String(attempt)));
    expect(settled - before).toBeLessThan(10);
  });

  it('says nothing about files that do not matter', async () => {
    mkdirSync(folder);
    open();
    await noticed((attempt) => writeFileSync(join(folder, 'first.yaml'), String(attempt)));
    const before = settled;
    for (let i = 0; i < 20; i++) appendFileSync(join(folder, 'stdout.log'), 'x\n');
    await noticed((attempt) => writeFileSync(join(folder, 'last.yaml'), String(attempt)));
    expect(settled - before).toBeLessThanOrEqual(2);
  });

  it('sees into child folders, and a script that becomes executable', async () => {
    mkdirSync(folder);
    open(1);
    await noticed((attempt) => mkdirSync(join(folder, `shop${attempt}`)));
    const script = join(folder, 'shop1', 'run.sh');
    await noticed((attempt) => writeFileSync(script, String(attempt)));
    await noticed((attempt) => chmodSync(script, attempt % 2 === 0 ? 0o644 : 0o755));
  });

  it('reports a folder that was not there when it is', async () => {
    open();
    await noticed(() => mkdirSync(folder, { recursive: true }));
    await noticed((attempt) => writeFileSync(join(folder, 'web.yaml'), String(attempt)));
    expect(degraded).toEqual([]);
  });

  it('reports a folder that was not there, nor those above it', async () => {
    folder = join(base, 'etc', 'above', 'config.d');
    open();
    await noticed(() => mkdirSync(folder, { recursive: true }));
    await noticed((attempt) => writeFileSync(join(folder, 'web.yaml'), String(attempt)));
    expect(degraded).toEqual([]);
  });

  it('goes on with a folder that was removed and made again, however soon', async () => {
    mkdirSync(folder);
    open();
    await noticed((attempt) => writeFileSync(join(folder, 'web.yaml'), String(attempt)));
    for (let times = 0; times < 3; times += 1) {
      rmSync(folder, { recursive: true });
      mkdirSync(folder);
      await noticed((attempt) => writeFileSync(join(folder, 'web.yaml'), String(attempt)));
      await noticed(() => appendFileSync(join(folder, 'web.yaml'), 'x'));
    }
    expect(degraded).toEqual([]);
  });

  it('follows a link that takes its place, and leads elsewhere later', async () => {
    mkdirSync(folder);
    open();
    await noticed((attempt) => writeFileSync(join(folder, 'web.yaml'), String(attempt)));
    for (const release of ['first', 'second']) {
      const target = join(base, 'releases', release);
      mkdirSync(target, { recursive: true });
      await noticed(() => {
        symlinkSync(target, join(base, 'link'));
        if (release === 'first') rmSync(folder, { recursive: true });
        renameSync(join(base, 'link'), folder);
      });
      await noticed((attempt) => writeFileSync(join(target, 'web.yaml'), String(attempt)));
      await noticed(() => appendFileSync(join(target, 'web.yaml'), 'x'));
    }
  });

  it('sees what its links lead to: written to, replaced, and the next one, too', async () => {
    mkdirSync(folder);
    const target = join(base, 'service.yaml');
    writeFileSync(target, 'a');
    open();
    await noticed((attempt) => writeFileSync(join(folder, 'other.yaml'), String(attempt)));
    await noticed(() => symlinkSync(target, join(folder, 'web.yaml')));
    for (let times = 0; times < 3; times += 1) {
      await noticed(() => appendFileSync(target, 'x'));
      await noticed((attempt) => {
        writeFileSync(`${target}.tmp`, String(attempt));
        renameSync(`${target}.tmp`, target);
      });
    }
    rmSync(join(folder, 'web.yaml'));
    await noticed((attempt) => writeFileSync(join(folder, 'other.yaml'), String(attempt)));
    const before = settled;
    appendFileSync(target, 'x');
    await noticed((attempt) => writeFileSync(join(folder, 'other.yaml'), `last ${attempt}`));
    expect(settled - before).toBeLessThanOrEqual(2);
  });

  it('follows when another folder takes its place', async () => {
    mkdirSync(folder);
    open();
    await noticed((attempt) => writeFileSync(join(folder, 'web.yaml'), String(attempt)));
    mkdirSync(join(base, 'other'));
    renameSync(folder, join(base, 'old'));
    renameSync(join(base, 'other'), folder);
    await noticed((attempt) => writeFileSync(join(folder, 'db.yaml'), String(attempt)));
    await noticed((attempt) => writeFileSync(join(folder, 'db.yaml'), `again ${attempt}`));
  });

  it.each([
    // The folder above, the folder itself and one of two children.
    ['watches', 3],
    ['instances', 0],
  ])('says that inotify has no %s left, once, and is back when it has', async (what, room) => {
    mkdirSync(join(folder, 'a'), { recursive: true });
    mkdirSync(join(folder, 'b'));
    // The limit of a user namespace of its own: nobody else is affected.
    const limit = `/proc/sys/user/max_inotify_${what}`;
    const script = `
      import { writeFileSync } from 'node:fs';
      import { watchDirectory } from ${JSON.stringify(MODULE)};
      writeFileSync('${limit}', '${room}');
      const watch = watchDirectory(${JSON.stringify(folder)}, {
        settleMs: 50, depth: 1, retryMs: 200, concerns: () => true,
        onDegraded: (reason) => {
          console.log(reason === null ? 'recovered' : reason);
          if (reason === null) setTimeout(() => writeFileSync(${JSON.stringify(join(folder, 'b/web.yaml'))}, ''), 300);
          else setTimeout(() => writeFileSync('${limit}', '100'), 500);
        },
        onSettled: () => { console.log('settled'); if (++settled === 3) watch.close(); },
      });
      let settled = 0;`;
    const args = ['-U', '-r', process.execPath, '--input-type=module', '-e', script];
    const { stdout } = await promisify(execFile)('unshare', args, { timeout: 20_000 });
    expect(stdout.trim().split('\n')).toEqual([
      expect.stringContaining(`no inotify ${what} are left (raise fs.inotify.max_user_${what})`),
      // What could be watched is there to be read.
      'settled',
      'recovered',
      'settled',
      'settled',
    ]);
  });

  it('says nothing any more once it is closed', async () => {
    mkdirSync(folder);
    open();
    await noticed((attempt) => writeFileSync(join(folder, 'web.yaml'), String(attempt)));
    await closeWatch();
    const before = settled;
    let seen = 0;
    const other = watchDirectory(folder, {
      settleMs: SETTLE_MS,
      depth: 0,
      concerns: () => true,
      onSettled: () => {
        seen += 1;
      },
      onDegraded: () => {},
    });
    await vi.waitFor(
      () => {
        appendFileSync(join(folder, 'web.yaml'), 'x');
        expect(seen).toBeGreaterThan(2);
      },
      { timeout: 10_000, interval: 100 },
    );
    await other.close();
    expect(settled).toBe(before);
  });
});
