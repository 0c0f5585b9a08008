import { chownSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { environmentKey } from '../../src/daemon/environment-key.ts';
import { NOBODY, scratchFolder } from '../host/rig.ts';

test('where no key can be kept, one of this life has to do, and that is said', () => {
  const [good, bad] = [scratchFolder(), scratchFolder()];
  chownSync(bad, NOBODY, NOBODY);
  const said: string[] = [];
  const keyIn = (folder: string) => environmentKey(folder, (reason) => said.push(reason))();

  expect(keyIn(good)).toEqual(keyIn(good));
  expect(existsSync(join(good, 'environment.key'))).toBe(true);
  expect(said).toEqual([]);
  expect(keyIn(bad)).toHaveLength(32);
  expect(keyIn(bad)).not.toEqual(keyIn(bad));
  expect(said[0]).toMatch(/others than root may write .* will not be noticed$/);
});
