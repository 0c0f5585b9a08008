import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Definition } from '../../src/model/desired.ts';
import { AutoServiceDirectory } from '../../src/sources/auto-service-directory.ts';

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
