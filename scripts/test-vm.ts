import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildIfStale } from './build.ts';
import { projectRoot } from './run.ts';
import { installMissingPrograms, VM_PROGRAMS } from './test-packages.ts';
import { bootVm } from './vm/boot.ts';
import { vmImage } from './vm/image.ts';
import { makeProjectDisk } from './vm/project-disk.ts';

process.exitCode = await testInVm();

/** The tests that need systemd as PID 1 or all controllers of cgroup v2, in a machine that has them. */
async function testInVm(): Promise<number> {
  if (process.getuid?.() !== 0) {
    console.error('cannot build the virtual machine: this needs root (run: sudo npm run test:vm)');
    return 1;
  }
  const missing = await installMissingPrograms(VM_PROGRAMS);
  if (missing.length > 0) {
    console.error(`cannot run the tests: ${missing.join(', ')} not found (install and try again)`);
    return 1;
  }
  await buildIfStale();
  const image = await vmImage();
  const folder = await mkdtemp(join(tmpdir(), 'processmaster-vm-'));
  const reports = join(projectRoot, 'reports', 'vm');
  await rm(reports, { recursive: true, force: true });
  await mkdir(reports, { recursive: true });
  try {
    const projectDisk = await makeProjectDisk(folder);
    return await bootVm({ image, projectDisk, swapFolder: folder, reports });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
