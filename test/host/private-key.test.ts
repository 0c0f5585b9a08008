import { chownSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadPrivateKey } from '../../src/host/private-key.ts';
import { NOBODY, scratchFolder } from './rig.ts';

test('a key is made once, for root alone, and found again', () => {
  const path = join(scratchFolder(), 'key');
  const key = loadPrivateKey(path);
  expect(key).toHaveLength(32);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(loadPrivateKey(path)).toEqual(key);
  expect(loadPrivateKey(join(scratchFolder(), 'key'))).not.toEqual(key);
});

test('what is no key is replaced by one', () => {
  const path = join(scratchFolder(), 'key');
  writeFileSync(path, 'short');
  const key = loadPrivateKey(path);
  expect(key).toHaveLength(32);
  expect(readFileSync(path)).toEqual(key);
});

test('a folder that others may write to is refused', () => {
  const open = scratchFolder();
  chownSync(open, NOBODY, NOBODY);
  expect(() => loadPrivateKey(join(open, 'key'))).toThrow(/others than root may write/);
  expect(existsSync(join(open, 'key'))).toBe(false);
});
