import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../src/model/desired.ts';
import { readDaemonConfig } from '../../src/sources/daemon-config-file.ts';
import { readServiceFile } from '../../src/sources/service-file.ts';

const FOLDER = join(import.meta.dirname, '../fixtures');
const FILES = readdirSync(FOLDER).filter((file) => file.endsWith('.yaml'));

/** What a file is refused for, one line a problem, without the file's own path. */
function complaints(name: string): readonly string[] {
  const file = join(FOLDER, name);
  const reading = name.includes('-master-') ? readDaemonConfig(file) : readServiceFile(file);
  if (reading.kind === 'valid') return [];
  return reading.problems.map((problem) => formatProblem(problem).slice(file.length + 1));
}

function expectations(name: string): readonly string[] {
  const lines = readFileSync(join(FOLDER, name), 'utf8').split('\n');
  return lines
    .filter((line) => line.startsWith('# expect: '))
    .map((line) => line.slice('# expect: '.length));
}

/** What there is to refuse, and as which kind of file. */
function essence(name: string): string {
  const kind = name.includes('-master-') ? 'master' : 'service';
  return kind + readFileSync(join(FOLDER, name), 'latin1').replace(/^#.*\n/gm, '');
}

describe('the fixtures', () => {
  it('hold many mistakes, no two of them the same', () => {
    const rejected = FILES.filter((file) => file.startsWith('rejected-'));
    const contents = rejected.map(essence);
    expect(new Set(contents).size).toBe(rejected.length);
    expect(rejected.length).toBeGreaterThanOrEqual(150);
  });

  it.each(FILES.filter((file) => file.startsWith('accepted-')))('%s is accepted', (file) => {
    expect(complaints(file)).toEqual([]);
  });

  it.each(FILES.filter((file) => file.startsWith('rejected-')))(
    '%s is refused for what it says at its top',
    (file) => {
      expect(expectations(file).length).toBeGreaterThan(0);
      expect(complaints(file)).toEqual(expectations(file));
    },
  );
});
