import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Definition } from '../../src/model/desired.ts';
import { AutoServiceDirectory } from '../../src/sources/auto-service-directory.ts';
import { SETTLE_MS } from '../../src/sources/settled-files.ts';

let folder: string;
let directory: AutoServiceDirectory;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pm-auto-services-'));
  directory = new AutoServiceDirectory(folder, { defaultUser: 'web', defaultGroup: null });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(file: string, content: string, mode = 0o644): void {
  mkdirSync(join(folder, file, '..'), { recursive: true });
  writeFileSync(join(folder, file), content, { mode });
}

function read(): readonly Definition[] {
  const { content } = directory.read({ wallMs: 0, monotonicMs: 0 }, { settled: true });
  if (content.kind === 'unavailable') throw new Error(content.reason);
  return content.definitions;
}

describe('an auto service directory', () => {
  it('makes a service with defaults of a folder with an executable run.sh', () => {
    write('shop/run.sh', '#!/bin/sh\n', 0o755);
    expect(read()).toMatchObject([
      {
        kind: 'valid',
        name: 'shop',
        spec: {
          workingDirectory: join(folder, 'shop'),
          startCommand: ['./run.sh'],
          user: 'web',
          group: null,
          logs: { stdout: join(folder, 'shop/logs/stdout.log') },
        },
      },
    ]);
  });

  it('waits until run.sh is executable', () => {
    write('shop/run.sh', '#!/bin/sh\n');
    expect(read()).toEqual([]);
    chmodSync(join(folder, 'shop/run.sh'), 0o755);
    expect(read()).toMatchObject([{ name: 'shop' }]);
  });

  it('prefers service.yml to service.yaml to the defaults', () => {
    write('shop/run.sh', '#!/bin/sh\n', 0o755);
    write('shop/service.yaml', 'description: second\n');
    expect(read()).toMatchObject([{ spec: { description: 'second' } }]);
    write('shop/service.yml', 'description: first\n');
    expect(read()).toMatchObject([{ spec: { description: 'first' } }]);
    rmSync(join(folder, 'shop/service.yml'));
    rmSync(join(folder, 'shop/service.yaml'));
    expect(read()).toMatchObject([{ spec: { description: '' } }]);
  });

  it('ignores plain files, hidden folders and those that end in .disabled', () => {
    write('notes.txt', '');
    write('.git/run.sh', '', 0o755);
    write('shop.disabled/run.sh', '', 0o755);
    write('empty/readme', '');
    expect(read()).toEqual([]);
  });

  it('says what is wrong with a folder that cannot be a name, and serves the others', () => {
    write('my shop/run.sh', '', 0o755);
    write('web/run.sh', '', 0o755);
    const byKind = new Map(read().map((definition) => [definition.kind, definition]));
    expect(byKind.get('valid')).toMatchObject({ name: 'web' });
    expect(byKind.get('invalid')).toMatchObject({ name: null, file: join(folder, 'my shop') });
  });

  it('does not take a dangling service.yml for none', () => {
    write('shop/run.sh', '', 0o755);
    symlinkSync('/nonexistent/service.yml', join(folder, 'shop/service.yml'));
    expect(read()).toMatchObject([{ kind: 'invalid', name: 'shop' }]);
  });

  it('keeps a definition through the moment in which an editor replaces it', () => {
    write('shop/run.sh', '', 0o755);
    write('shop/service.yml', 'description: mine\n');
    read();
    rmSync(join(folder, 'shop/service.yml'));
    const nowMs = Date.now();
    const { content, lookAgainAfterMs } = directory.read({ wallMs: nowMs, monotonicMs: nowMs });
    expect(content).toMatchObject({ definitions: [{ spec: { description: 'mine' } }] });
    expect(lookAgainAfterMs).toBeGreaterThan(0);
  });

  it('tells what a file in its place would define, and remembers nothing of it', () => {
    write('shop/run.sh', '', 0o755);
    write('shop/service.yml', 'description: old\n');
    read();
    const file = join(folder, 'shop/service.yml');
    const peeked = directory.peek(new Map([[file, 'description: new\n']]));
    expect(peeked).toMatchObject({
      definitions: [{ name: 'shop', spec: { description: 'new', user: 'web' } }],
    });
    expect(read()).toMatchObject([{ spec: { description: 'old' } }]);
  });

  it.each([
    ['shop/service.yml', true],
    ['shop/service.yaml', false],
    ['shop/other.yml', false],
    ['.hidden/service.yml', false],
    ['shop.disabled/service.yml', false],
    ['a/b/service.yml', false],
    ['service.yml', false],
  ])('whether it holds %s: %s', (path, expected) => {
    write('shop/service.yml', '');
    expect(directory.holds(join(folder, path))).toBe(expected);
  });

  it('that is gone is unavailable, not empty', () => {
    rmSync(folder, { recursive: true });
    expect(directory.read({ wallMs: 0, monotonicMs: 0 }).content).toMatchObject({
      kind: 'unavailable',
    });
    expect(directory.peek(new Map())).toMatchObject({ kind: 'unavailable' });
  });
});

describe('a new folder', () => {
  const readAt = (wallMs: number) => {
    const { content, ...rest } = directory.read({ wallMs, monotonicMs: wallMs });
    if (content.kind === 'unavailable') throw new Error(content.reason);
    return { names: content.definitions.map((definition) => definition.name), ...rest };
  };
  /** Until nothing that was made so far counts as young. */
  const settle = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SETTLE_MS + 50);

  it.each(['run.sh', 'service.yml'])('with a %s waits for the rest of its top level', (file) => {
    write(`shop/${file}`, '', 0o755);
    write('shop/data', 'some');
    settle();
    // The folder itself does not show that a file in it grows.
    appendFileSync(join(folder, 'shop/data'), ' more');
    const nowMs = Date.now();
    expect(readAt(nowMs)).toMatchObject({ names: [], wishes: [] });
    expect(readAt(nowMs).lookAgainAfterMs).toBeGreaterThan(0);
    expect(readAt(nowMs + SETTLE_MS)).toMatchObject({ names: ['shop'], lookAgainAfterMs: null });
  });

  it('does not wait for what is below its top level', () => {
    write('shop/run.sh', '', 0o755);
    write('shop/sub/first', '');
    settle();
    write('shop/sub/second', '');
    expect(readAt(Date.now()).names).toEqual(['shop']);
  });

  it('that is a service by now may change as it likes', () => {
    write('shop/run.sh', '', 0o755);
    write('shop/service.yml', 'description: old\n');
    settle();
    expect(readAt(Date.now()).names).toEqual(['shop']);
    write('shop/service.yml', 'description: new\n');
    settle();
    write('shop/state', 'young');
    const { content } = directory.read({ wallMs: Date.now(), monotonicMs: 0 });
    expect(content).toMatchObject({ definitions: [{ spec: { description: 'new' } }] });
  });
});

describe('what an auto service directory wishes for', () => {
  const wishes = () => directory.read({ wallMs: 0, monotonicMs: 0 }, { settled: true }).wishes;

  it('is a definition where the defaults define', () => {
    write('shop/run.sh', '', 0o755);
    write('web/service.yaml', '');
    write('draft/notes', '');
    symlinkSync('/nonexistent', join(folder, 'draft/service.yml'));
    expect(wishes()).toMatchObject([
      { kind: 'generate', service: 'shop', folder: join(folder, 'shop') },
    ]);
  });

  it('is another one where there is a marker, whatever else is there', () => {
    write('shop/run.sh', '', 0o755);
    write('web/service.yaml', '');
    write('draft/notes', '');
    for (const name of ['shop', 'web', 'draft']) write(`${name}/.regen_pm_config`, '');
    const kinds = wishes()?.map(({ service, kind }) => [service, kind]);
    expect(Object.fromEntries(kinds ?? [])).toEqual({
      shop: 'regenerate',
      web: 'regenerate',
      draft: 'regenerate',
    });
  });

  it('is a new wish when marker or definition changed, not when one got another name', () => {
    write('shop/service.yml', 'first');
    write('shop/.regen_pm_config', '');
    const version = () => wishes()?.[0]?.version;
    const before = version();
    linkSync(join(folder, 'shop/service.yml'), join(folder, 'shop/service.yml.bak'));
    expect(version()).toBe(before);
    rmSync(join(folder, 'shop/service.yml'));
    expect(version()).not.toBe(before);
  });

  it('is not looked at before the marker has settled', () => {
    write('shop/service.yml', '');
    write('shop/.regen_pm_config', '');
    const nowMs = Date.now();
    const { wishes: none, lookAgainAfterMs } = directory.read({ wallMs: nowMs, monotonicMs: 0 });
    expect(none).toEqual([]);
    expect(lookAgainAfterMs).toBeGreaterThan(0);
  });

  it('can be read at once when it was fulfilled', () => {
    write('shop/run.sh', '', 0o755);
    write('shop/service.yml', 'description: new\n');
    const nowMs = Date.now();
    const { content } = directory.read(
      { wallMs: nowMs, monotonicMs: 0 },
      { written: new Set([join(folder, 'shop')]) },
    );
    expect(content).toMatchObject({ definitions: [{ spec: { description: 'new' } }] });
  });
});
