import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigDirectory, type SourceReading } from '../../src/sources/config-directory.ts';

let folder: string;
let directory: ConfigDirectory;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pm-config-directory-'));
  directory = new ConfigDirectory(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(file: string, content = 'process: {working_directory: /srv}\n'): void {
  writeFileSync(join(folder, file), content);
}

/** A moment so long after the last change of a file (of the folder where it is gone). */
function momentAfter(ms: number, file = '.') {
  const changedAtMs = statSync(join(folder, file)).ctimeMs;
  return { wallMs: changedAtMs + ms, monotonicMs: changedAtMs + ms };
}

function names({ content }: SourceReading): readonly (string | null)[] {
  return content.kind === 'read' ? content.definitions.map((each) => each.name).toSorted() : [];
}

describe('a config directory', () => {
  it('holds every yml and yaml file in any letter case, nothing hidden and nothing below it', () => {
    for (const file of ['a.yml', 'b.YAML', 'c.Yml', '.d.yaml', 'e.yaml~', 'f.json', '.yaml']) {
      write(file);
    }
    mkdirSync(join(folder, 'below'));
    write('below/g.yaml');
    expect(names(directory.read(momentAfter(0), { settled: true }))).toEqual(['a', 'b', 'c']);
  });

  it('leaves a file alone until it has been at rest for 300 ms', () => {
    write('web.yaml');
    const early = directory.read(momentAfter(100, 'web.yaml'));
    expect(names(early)).toEqual([]);
    expect(Math.ceil(early.lookAgainAfterMs ?? 0)).toBe(200);
    const late = directory.read(momentAfter(301, 'web.yaml'));
    expect(names(late)).toEqual(['web']);
    expect(late.lookAgainAfterMs).toBeNull();
  });

  it('tells what is there and what would be, and remembers nothing of it', () => {
    write('web.yaml');
    const texts = new Map([
      [join(folder, 'db.yaml'), 'process: {working_directory: /db}\n'],
      [join(folder, 'web.yaml'), 'process: {niece: 1}\n'],
      ['/elsewhere/api.yaml', 'process: {working_directory: /api}\n'],
    ]);
    expect(directory.peek(texts)).toMatchObject({
      definitions: [
        { kind: 'invalid', name: 'web' },
        { kind: 'valid', name: 'db', file: join(folder, 'db.yaml') },
      ],
    });
    expect(directory.peek(new Map())).toMatchObject({
      definitions: [{ kind: 'valid', name: 'web' }],
    });
    expect(names(directory.read(momentAfter(100, 'web.yaml')))).toEqual([]);
  });

  it('keeps the previous reading of a file that is being written', () => {
    write('web.yaml');
    directory.read(momentAfter(0), { settled: true });
    write('web.yaml', 'process: {work');
    expect(directory.read(momentAfter(100, 'web.yaml')).content).toMatchObject({
      definitions: [{ kind: 'valid' }],
    });
    expect(directory.read(momentAfter(400, 'web.yaml')).content).toMatchObject({
      definitions: [{ kind: 'invalid', name: 'web' }],
    });
  });

  it('does not miss a file in the moment between an unlink and a rename', () => {
    write('web.yaml');
    directory.read(momentAfter(0), { settled: true });
    renameSync(join(folder, 'web.yaml'), join(folder, 'web.yaml~'));
    const gone = momentAfter(0);
    expect(names(directory.read(gone))).toEqual(['web']);
    const later = { wallMs: gone.wallMs + 400, monotonicMs: gone.monotonicMs + 400 };
    expect(names(directory.read(later))).toEqual([]);
  });

  it('takes a renamed file with its name of old for the same, not for a second one', () => {
    write('a.yaml', 'application: web\nprocess: {working_directory: /srv}\n');
    directory.read(momentAfter(0), { settled: true });
    renameSync(join(folder, 'a.yaml'), join(folder, 'b.yaml'));
    expect(names(directory.read(momentAfter(100, 'b.yaml')))).toEqual(['web']);
    const { content } = directory.read(momentAfter(301, 'b.yaml'));
    expect(content).toMatchObject({ definitions: [{ name: 'web', file: join(folder, 'b.yaml') }] });
  });

  it('reads an unchanged file once, a changed one again', () => {
    write('web.yaml');
    const first = directory.read(momentAfter(0), { settled: true }).content;
    const second = directory.read(momentAfter(500), { settled: true }).content;
    expect(first.kind === 'read' && second.kind === 'read').toBe(true);
    if (first.kind !== 'read' || second.kind !== 'read') return;
    expect(second.definitions[0]).toBe(first.definitions[0]);
    write('web.yaml', 'description: new\nprocess: {working_directory: /srv}\n');
    expect(directory.read(momentAfter(500), { settled: true }).content).toMatchObject({
      definitions: [{ spec: { description: 'new' } }],
    });
  });

  it('reads on although one of its files cannot be read', () => {
    write('web.yaml');
    mkdirSync(join(folder, 'folder.yaml'));
    const { content } = directory.read(momentAfter(0), { settled: true });
    expect(content).toMatchObject({ kind: 'read' });
    expect(names({ content, lookAgainAfterMs: null })).toEqual(['folder', 'web']);
  });

  it('that is gone is unavailable, not empty', () => {
    write('web.yaml');
    directory.read(momentAfter(0), { settled: true });
    const now = momentAfter(0);
    rmSync(folder, { recursive: true });
    expect(directory.read(now, { settled: true }).content).toEqual({
      kind: 'unavailable',
      reason: `cannot read the config folder '${folder}': No such file or directory (ENOENT)`,
    });
  });
});
