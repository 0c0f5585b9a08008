import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HistoryFiles } from '../../src/journal/history-files.ts';
import { parseServiceName, type ServiceName } from '../../src/model/service-name.ts';

const web = serviceName('web');
const db = serviceName('db');

let directory: string;
let troubles: string[];
let files: HistoryFiles;

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'history-')), 'services');
  troubles = [];
  files = new HistoryFiles({ directory, onTrouble: (message) => troubles.push(message) });
});

afterEach(() => {
  rmSync(join(directory, '..'), { recursive: true, force: true });
});

describe('HistoryFiles', () => {
  it('loads what was saved last, and nothing where nothing was', () => {
    files.save(web, { run: 1 });
    files.save(web, { run: 2 });
    expect(files.load(web)).toEqual({ run: 2 });
    expect([files.load(db), troubles]).toEqual([null, []]);
  });

  it('loads everything there is, and passes over what is no service', () => {
    files.save(web, 1);
    files.save(db, 2);
    files.folder(serviceName('never-run'));
    mkdirSync(join(directory, '.hidden'));
    expect(files.loadAll()).toEqual(
      new Map([
        [web, 1],
        [db, 2],
      ]),
    );
    expect(troubles).toEqual([]);
  });

  it('has nothing to load before the first service', () => {
    expect([files.loadAll().size, troubles]).toEqual([0, []]);
  });

  it('keeps folders and files from everyone but root and leaves no temporary file', () => {
    files.save(web, { a: 1 });
    expect(statSync(files.folder(web)).mode & 0o777).toBe(0o700);
    expect(statSync(historyOf(web)).mode & 0o777).toBe(0o600);
    expect(readdirSync(files.folder(web))).toEqual(['history.json']);
  });

  it.each(['', '{"run": 1', '\0\0\0'])('sets aside content that is not whole: %j', (content) => {
    files.folder(web);
    writeFileSync(historyOf(web), content);
    expect(files.load(web)).toBeNull();
    expect(readFileSync(`${historyOf(web)}.corrupt-1`, 'utf8')).toBe(content);
    expect(troubles).toEqual([expect.stringContaining(`cannot use '${historyOf(web)}'`)]);
  });

  it('never overwrites what it set aside before', () => {
    for (const content of ['first', 'second']) {
      files.folder(web);
      writeFileSync(historyOf(web), content);
      files.load(web);
    }
    expect(readFileSync(`${historyOf(web)}.corrupt-1`, 'utf8')).toBe('first');
    expect(readFileSync(`${historyOf(web)}.corrupt-2`, 'utf8')).toBe('second');
  });

  it('removes a folder with all that is in it, and is content when it is gone', () => {
    files.save(web, 1);
    writeFileSync(join(files.folder(web), 'launch'), 'exec');
    files.remove(web);
    files.remove(web);
    expect(existsSync(join(directory, 'web'))).toBe(false);
  });

  it('says which file it cannot write, and keeps the one before', () => {
    files.save(web, { run: 1 });
    mkdirSync(`${historyOf(web)}.tmp`);
    expect(() => files.save(web, { run: 2 })).toThrow(`cannot write '${historyOf(web)}'`);
    expect(files.load(web)).toEqual({ run: 1 });
  });
});

function historyOf(name: ServiceName): string {
  return join(directory, name, 'history.json');
}

function serviceName(text: string): ServiceName {
  const name = parseServiceName(text);
  if (name === null) throw new Error(`not a service name: ${text}`);
  return name;
}
