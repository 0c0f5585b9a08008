import { chmod, copyFile, cp, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun, projectRoot } from '../run.ts';

/** What the tests in the machine need of the project, besides the package itself. */
const FOLDERS = ['src', 'test'];
const FILES = ['tsconfig.json', 'vitest.vm.config.ts'];
const DISK_SIZE = '3G';

/**
 * Makes the disk that the machine mounts at `/project`: the package as it would be published, the
 * tests, and what runs them. `folder` is the caller's, and empty.
 */
export async function makeProjectDisk(folder: string): Promise<string> {
  const tree = join(folder, 'project');
  await mkdir(tree);
  await unpackPackage(folder, tree);
  for (const name of FOLDERS)
    await cp(join(projectRoot, name), join(tree, name), { recursive: true });
  for (const name of FILES) await copyFile(join(projectRoot, name), join(tree, name));
  await mustRun(['cp', '-a', join(projectRoot, 'node_modules'), tree]);
  const runner = join(tree, 'run-tests');
  await copyFile(join(import.meta.dirname, 'run-tests'), runner);
  await chmod(runner, 0o755);
  const disk = join(folder, 'project.ext4');
  await mustRun(['mke2fs', '-q', '-t', 'ext4', '-d', tree, disk, DISK_SIZE]);
  await rm(tree, { recursive: true });
  return disk;
}

/** As `npm publish` would pack it; what is in `dist/` is built already. */
async function unpackPackage(folder: string, into: string): Promise<void> {
  await mustRun(['npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('cannot pack the project: npm pack made no file');
  await mustRun(['tar', '-xzf', join(folder, tarball), '-C', into, '--strip-components=1']);
}
