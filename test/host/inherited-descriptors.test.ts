import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const MODULE = join(import.meta.dirname, '../../src/host/inherited-descriptors.ts');

test('descriptors that the program was started with do not reach its children', () => {
  const program = `
    import { spawnSync } from 'node:child_process';
    import { closeInheritedDescriptors } from '${MODULE}';
    const seen = () => spawnSync('test', ['-e', '/proc/self/fd/200']).status === 0;
    const before = seen();
    closeInheritedDescriptors();
    console.log(before, seen());`;
  const script = 'exec 200</dev/null; exec "$1" --input-type=module -e "$2"';
  const args = ['-c', script, 'bash', process.execPath, program];
  const { stdout, stderr } = spawnSync('bash', args, { encoding: 'utf8' });
  expect([stdout, stderr]).toEqual(['true false\n', '']);
});
