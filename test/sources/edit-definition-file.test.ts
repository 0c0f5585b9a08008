import {
  chmodSync,
  chownSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { setEnabledInFile } from '../../src/sources/edit-definition-file.ts';
import { readServiceFile } from '../../src/sources/service-file.ts';
import { errorOf, NOBODY, scratchFolder, userFolder } from '../host/rig.ts';

const FILED = { mayCreate: false };
const AUTO = { mayCreate: true };
const TEXT =
  '# web\r\nprocess:\r\n  working_directory: /tmp # t\r\n  start_command: ["sleep", "1"]\r\n';

test('a definition is disabled and enabled again, and keeps everything else', () => {
  const path = join(scratchFolder(), 'web.yaml');
  writeFileSync(path, TEXT);
  chownSync(path, NOBODY, 33);
  chmodSync(path, 0o640);
  expect(setEnabledInFile(path, false, FILED)).toBe('edited');
  expect(readFileSync(path, 'utf8')).toBe(`${TEXT}global:\r\n  enabled: false\r\n`);
  expect(readServiceFile(path)).toMatchObject({ kind: 'valid', spec: { enabled: false } });
  expect(setEnabledInFile(path, false, FILED)).toBe('unchanged');
  expect(setEnabledInFile(path, true, FILED)).toBe('edited');
  expect(readFileSync(path, 'utf8')).toBe(`${TEXT}global:\r\n  enabled: true\r\n`);
  const { uid, gid, mode } = statSync(path);
  expect([uid, gid, mode & 0o7777]).toEqual([NOBODY, 33, 0o640]);
});

test('what cannot be edited is named with its place, and stays', () => {
  const path = join(scratchFolder(), 'web.yaml');
  writeFileSync(path, 'a: [1\nb: 2\n');
  const error = errorOf(() => setEnabledInFile(path, false, FILED));
  expect(error.code).toBe('invalid_config');
  expect(error.message).toMatch(new RegExp(`^${path}:2:1: `));
  expect(readFileSync(path, 'utf8')).toBe('a: [1\nb: 2\n');
});

test('a file that is gone is not made up', () => {
  const folder = scratchFolder();
  const error = errorOf(() => setEnabledInFile(join(folder, 'web.yaml'), false, FILED));
  expect(error.code).toBe('not_found');
  expect(readdirSync(folder)).toEqual([]);
});

test('an auto service without a file gets the smallest one that disables it', () => {
  const { home } = userFolder();
  const path = join(home, 'service.yml');
  expect(setEnabledInFile(path, true, AUTO)).toBe('unchanged');
  expect(existsSync(path)).toBe(false);
  expect(setEnabledInFile(path, false, AUTO)).toBe('created');
  expect(readFileSync(path, 'utf8')).toMatch(/^# .+\nglobal:\n {2}enabled: false\n$/);
  const { uid, gid, mode } = statSync(path);
  expect([uid, gid, mode & 0o7777]).toEqual([NOBODY, NOBODY, 0o644]);
  expect(setEnabledInFile(path, true, AUTO)).toBe('edited');
});
