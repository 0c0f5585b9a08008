import { createHash } from 'node:crypto';
import {
  chmod,
  copyFile,
  cp,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { mustRun } from '../run.ts';

/** What a machine boots from. Never written to: each boot has a copy-on-write layer above it. */
export interface VmImage {
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
}

const GUEST_FILES = join(import.meta.dirname, 'guest');
const SUITE = 'bookworm';
const PACKAGES = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'udev',
  'linux-image-cloud-amd64',
  'libcap2-bin',
  'procps',
  'util-linux',
  'e2fsprogs',
];
const DISK_SIZE = '2G';

/** Nothing but the tests is to run: no logins on the serial lines, whose hang-up would close them. */
const MASKED_UNITS = [
  'serial-getty@ttyS0.service',
  'serial-getty@ttyS1.service',
  'getty@tty1.service',
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'fstrim.timer',
  'systemd-timesyncd.service',
];

/**
 * A small Debian with systemd, built once for each recipe (this folder's files) and kept in the
 * user's cache, `$XDG_CACHE_HOME/processmaster-vm`. `DEBIAN_MIRROR` may name another mirror than
 * debootstrap's own.
 */
export async function vmImage(): Promise<VmImage> {
  const images = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'processmaster-vm');
  const folder = join(images, await recipeHash());
  const image = {
    disk: join(folder, 'root.ext4'),
    kernel: join(folder, 'vmlinuz'),
    initrd: join(folder, 'initrd.img'),
  };
  // Renamed into place when it is whole, so what is there is whole.
  const present = await readdir(folder).catch(() => []);
  if (present.length > 0) return image;
  const staging = `${folder}.building-${process.pid}`;
  try {
    await buildInto(staging);
    await rename(staging, folder);
    await removeAllBut(folder, images);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return image;
}

/** Images of earlier recipes are of no use any more, and large. */
async function removeAllBut(kept: string, images: string): Promise<void> {
  const others = (await readdir(images)).map((name) => join(images, name));
  for (const other of others) if (other !== kept) await rm(other, { recursive: true });
}

async function recipeHash(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(import.meta.filename));
  for (const name of (await readdir(GUEST_FILES)).toSorted()) {
    hash.update(`\0${name}\0`).update(await readFile(join(GUEST_FILES, name)));
  }
  return hash.digest('hex').slice(0, 16);
}

async function buildInto(folder: string): Promise<void> {
  const root = join(folder, 'root');
  await mkdir(root, { recursive: true });
  console.log(`building the virtual machine's image in ${folder} (once, about two minutes)`);
  const mirror = process.env.DEBIAN_MIRROR;
  await mustRun(
    [
      'debootstrap',
      '--variant=minbase',
      `--include=${PACKAGES.join(',')}`,
      SUITE,
      root,
      ...(mirror === undefined ? [] : [mirror]),
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  await configure(root);
  await copyFile(await newest(join(root, 'boot'), 'vmlinuz-'), join(folder, 'vmlinuz'));
  await copyFile(await newest(join(root, 'boot'), 'initrd.img-'), join(folder, 'initrd.img'));
  const disk = join(folder, 'root.ext4');
  await mustRun(['mke2fs', '-q', '-t', 'ext4', '-d', root, disk, DISK_SIZE]);
  await rm(root, { recursive: true });
}

async function configure(root: string): Promise<void> {
  await cp(join(GUEST_FILES, 'fstab'), join(root, 'etc/fstab'));
  await mkdir(join(root, 'project'), { recursive: true });
  await writeFile(join(root, 'etc/hostname'), 'processmaster-vm\n');
  const units = join(root, 'etc/systemd/system');
  await mkdir(join(units, 'default.target.wants'), { recursive: true });
  const tests = 'processmaster-tests.service';
  await copyFile(join(GUEST_FILES, tests), join(units, tests));
  await chmod(join(units, tests), 0o644);
  await symlink(`../${tests}`, join(units, 'default.target.wants', tests));
  for (const unit of MASKED_UNITS)
    await symlink('/dev/null', join(units, unit)).catch(ignoreExisting);
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

async function newest(folder: string, prefix: string): Promise<string> {
  const name = (await readdir(folder))
    .filter((each) => each.startsWith(prefix))
    .toSorted()
    .at(-1);
  if (name === undefined) throw new Error(`cannot build the image: no ${prefix}* in '${folder}'`);
  return join(folder, name);
}
